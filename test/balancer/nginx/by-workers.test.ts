import { expect, test } from 'vitest';
import { WorkersWitness } from '../../../src/balancer/nginx/by-workers.ts';
import type { Workers } from '../../../src/balancer/nginx/workers.ts';

const seen = (
  serving: readonly number[],
  leaving: readonly number[] = [],
  master = 'one',
): Workers => ({ ...{ master, serving, leaving } });

/** What happens, in order: a generation that nginx is told of, or a look and what it shows. */
type Turn =
  | readonly ['told', generation: string, before: Workers | undefined]
  | readonly ['look', now: Workers | undefined, shows: string];

const told = (generation: string, before: Workers | undefined): Turn => [
  ...(['told', generation, before] as const),
];
const look = (now: Workers | undefined, shows: string): Turn => ['look', now, shows];

/** nginx as this witness knows it: 1 and 2 serve `a`. */
const knownA = [told('a', seen([8, 9])), look(seen([1, 2], [8, 9]), 'a')];

test.each<[string, readonly Turn[]]>([
  ['before anything was told, it is unknown', [look(seen([1, 2]), 'unknown')]],
  ['what cannot be seen is silent', [look(undefined, 'silent')]],
  [
    'no worker, or only some that leave, is silent',
    [look(seen([]), 'silent'), look(seen([], [1]), 'silent')],
  ],
  [
    'the first reload counts when none that served before it does any more',
    [
      told('a', seen([1, 2])),
      look(seen([1, 2]), 'unknown'),
      look(seen([1, 2, 3, 4]), 'unknown'),
      look(seen([2, 3, 4], [1]), 'unknown'),
      look(seen([3, 4], [1, 2]), 'a'),
      look(seen([3, 4]), 'a'),
    ],
  ],
  [
    'until a reload is seen through, what was believed before it stands',
    [
      ...knownA,
      told('b', seen([1, 2])),
      look(seen([1, 2]), 'a'),
      look(seen([1, 2, 3]), 'a'),
      look(seen([3, 4], [1, 2]), 'b'),
    ],
  ],
  [
    'a moment without workers is no confirmation',
    [...knownA, told('b', seen([1, 2])), look(seen([], [1, 2]), 'silent'), look(seen([3]), 'b')],
  ],
  [
    'a worker that died and was replaced changes nothing',
    [...knownA, look(seen([2]), 'a'), look(seen([2, 3]), 'a'), look(seen([2, 4]), 'a')],
  ],
  [
    'a reload by hand makes it unknown, even when its overlap was seen',
    [...knownA, look(seen([1, 2, 3, 4]), 'a'), look(seen([3, 4], [2]), 'unknown')],
  ],
  [
    'a restart makes it unknown, even with the same numbers',
    [...knownA, look(seen([1, 2], [], 'other'), 'unknown')],
  ],
  [
    'unknown stays so until the next reload',
    [
      ...knownA,
      look(seen([5, 6]), 'unknown'),
      look(seen([5, 6]), 'unknown'),
      told('a', seen([5, 6])),
      look(seen([7, 8]), 'a'),
    ],
  ],
  [
    'a restart during a reload makes it unknown: the file may have been read before or after',
    [
      ...knownA,
      told('b', seen([1, 2])),
      look(seen([3, 4], [], 'other'), 'unknown'),
      look(seen([5, 6], [], 'other'), 'unknown'),
    ],
  ],
  [
    'a reload of an nginx that could not be seen before it proves nothing',
    [
      ...knownA,
      told('b', seen([1, 2])),
      told('c', undefined),
      look(seen([1, 2]), 'a'),
      look(seen([3, 4]), 'unknown'),
      look(seen([5, 6]), 'unknown'),
    ],
  ],
  [
    'not seen for a while, and the same workers as before: nothing has changed',
    [...knownA, look(undefined, 'silent'), look(seen([1, 2]), 'a')],
  ],
  [
    'not seen for a while, and others than before: unknown',
    [...knownA, look(undefined, 'silent'), look(seen([3, 4]), 'unknown')],
  ],
  [
    'told of another while it still reads the one before: the first that come are of the one before',
    [
      ...knownA,
      told('b', seen([1, 2])),
      look(seen([1, 2]), 'a'),
      told('c', seen([1, 2])),
      look(seen([1, 2, 3, 4]), 'a'),
      look(seen([3, 4], [1, 2]), 'unknown'),
      look(seen([3, 4, 5, 6]), 'unknown'),
      look(seen([5, 6], [3, 4]), 'c'),
    ],
  ],
  [
    'however many it is told of meanwhile, it reads once more for all of them',
    [
      ...knownA,
      told('b', seen([1, 2])),
      told('c', seen([1, 2])),
      told('d', seen([1, 2])),
      look(seen([3, 4]), 'unknown'),
      look(seen([5, 6]), 'd'),
    ],
  ],
  [
    'told of another when the workers of the one before are there: the next are its own',
    [
      ...knownA,
      told('b', seen([1, 2])),
      told('c', seen([1, 2, 3, 4])),
      look(seen([3, 4], [1, 2]), 'a'),
      look(seen([5, 6], [3, 4]), 'c'),
    ],
  ],
  [
    'told of another just as the one before is through',
    [
      ...knownA,
      told('b', seen([1, 2])),
      told('c', seen([3, 4])),
      look(seen([3, 4]), 'b'),
      look(seen([5]), 'c'),
    ],
  ],
  [
    'told again of the same, either reload will do',
    [
      ...knownA,
      told('b', seen([1, 2])),
      told('c', seen([1, 2])),
      told('c', seen([1, 2])),
      look(seen([3, 4]), 'c'),
    ],
  ],
])('%s', (_, turns) => {
  const witness = new WorkersWitness();
  const shown = turns.map((turn) => {
    if (turn[0] === 'told') {
      witness.told(turn[1], turn[2]);
      return turn;
    }
    const answer = witness.answer(turn[1]);
    return look(turn[1], answer.kind === 'serves' ? answer.generation : answer.kind);
  });
  expect(shown).toEqual(turns);
});

test('the silences say what that means', () => {
  const witness = new WorkersWitness();
  expect(witness.answer(undefined)).toMatchObject({
    reason: expect.stringMatching(/^nginx's processes cannot be seen from here: /),
  });
  expect(witness.answer(seen([]))).toMatchObject({ reason: 'nginx is not running' });
});
