import { expect, test } from 'vitest';
import { parseCommandLine } from '../../src/options/command-line.ts';
import { checkWaitOptions, waitCommandOptions } from '../../src/options/wait-options.ts';

const spec = { name: 'wait', summary: '', options: waitCommandOptions };
const parse = (...argv: readonly string[]) => {
  const values = parseCommandLine(spec, argv, { ROLLCALL_TIMEOUT: '1s' });
  checkWaitOptions(values);
  return values;
};

test('the defaults: half a minute, at least one balancer; the timeout of probes is another one', () => {
  expect(parse('/test/a', '--in-rotation')).toMatchObject({
    ...{ key: '/test/a', inRotation: true, timeout: 30_000, balancers: 1 },
    recordPrefix: '/rollcall',
  });
});

test.each([
  [['/test/a'], 'rollcall wait /test/a --in-rotation'],
  [['/rollcall/a', '--in-rotation'], '--record-prefix /rollcall cannot go with KEY /rollcall/a'],
  [['test/a', '--in-rotation'], 'KEY: "test/a" is not accepted: /PREFIX/NAME'],
  [['/test/a', '--in-rotation', '--timeout', '5'], '--timeout: "5" is not accepted'],
  [['/test/a', '--in-rotation', '--balancers', '-1'], '--balancers: "-1" is not accepted'],
])('%j is refused: %s', (argv, says) => {
  expect(() => parse(...argv)).toThrow(says);
});
