import { expect, test } from 'vitest';
import { lookAt } from '../../src/balancer/look.ts';
import type { NginxAnswer } from '../../src/balancer/nginx/answer.ts';
import { WorkersWitness } from '../../src/balancer/nginx/by-workers.ts';
import { never } from '../support/virtual-clock.ts';

const workers = { master: '1@1', serving: [20], leaving: [10] };

function look(answer: NginxAnswer, witness?: WorkersWitness, file = async () => 'aa') {
  const nginx = { answer: async () => answer, workers: async () => workers };
  return lookAt({ generation: file }, nginx, witness)(never);
}

test.each([10, 20])(
  'the processes are our nginx where the one that answered is among them',
  async (worker) => {
    const answer = { kind: 'serves', generation: 'aa', worker } as const;
    expect(await look(answer)).toEqual({ atRest: 'aa', workers, answer });
  },
);

test('the processes of another nginx, by chance at the number in the pid file, say nothing', async () => {
  const seen = await look({ kind: 'serves', generation: 'aa', worker: 7 });
  expect(seen.workers).toBeUndefined();
});

test('where nginx does not say who answered, its processes are believed', async () => {
  expect((await look({ kind: 'serves', generation: 'aa' })).workers).toBe(workers);
  expect((await look({ kind: 'silent', reason: 'nothing listens' })).workers).toBe(workers);
});

test('without a place that answers, the workers do', async () => {
  const seen = await look({ kind: 'silent', reason: 'not asked' }, new WorkersWitness());
  expect(seen.answer).toEqual({ kind: 'serves', generation: 'unknown' });
});

test('a file that cannot be read is not ours', async () => {
  const silent = { kind: 'silent', reason: 'nothing listens' } as const;
  const seen = await look(silent, undefined, () => Promise.reject(new Error('EACCES')));
  expect(seen.atRest).toBeUndefined();
});
