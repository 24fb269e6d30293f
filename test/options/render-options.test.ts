import { expect, test } from 'vitest';
import { UsageError } from '../../src/lib/errors.ts';
import { parseCommandLine } from '../../src/options/command-line.ts';
import { checkRenderOptions, renderOptions } from '../../src/options/render-options.ts';
import { onlyService } from '../../src/options/service-values.ts';

const spec = { name: 'render', summary: '', options: renderOptions };
function settings(argv: readonly string[] = [], environment: Record<string, string> = {}) {
  const values = parseCommandLine(spec, argv, environment);
  return { ...values, ...checkRenderOptions(values) };
}

test('nothing given is one service below /test', () => {
  expect(settings()).toMatchObject({
    ...{ prefix: undefined, service: undefined, services: [onlyService('/test')] },
    workerShutdownTimeout: 240_000,
  });
});

test('a prefix is the one service', () => {
  expect(settings(['--prefix', '/a/b/']).services).toEqual([onlyService('/a/b')]);
});

test('several services, on the line and in the variable', () => {
  const names = (given: ReturnType<typeof settings>) => given.services.map(({ name }) => name);
  const flags = ['--service', 'web=/test', '--service=api=/api path=/api/'];
  expect(names(settings(flags))).toEqual(['web', 'api']);
  const environment = { ROLLCALL_SERVICE: 'web=/test\napi=/api path=/api/\n' };
  expect(names(settings([], environment))).toEqual(['web', 'api']);
  expect(settings([], environment).services).toEqual(settings(flags).services);
});

test('a service that is refused is shown with the reason, on one line', () => {
  expect(() => settings(['--service', 'web=/test', '--service', 'api=/api balance=x'])).toThrow(
    String.raw`--service: "web=/test\napi=/api balance=x" is not accepted: service api: "balance=x" is not accepted: one of round-robin`,
  );
});

test.each([
  [['--prefix', '/test', '--service', 'a=/a'], 'give --service backend=/test instead of --prefix'],
  [['--listen', '127.0.0.1:8079'], 'needs an address of its own'],
  [['--confirm-listen', '127.0.0.1:9000'], 'does not reach --confirm-listen 127.0.0.1:9000'],
  [['--confirm-url', 'http://127.0.0.1/'], 'give both the same port'],
  [['--worker-shutdown-timeout', '0s'], 'between 1s and 1440m'],
  [['--service', ' '], 'NAME=/PREFIX'],
])('%j is refused: %s', (flags, why) => {
  expect(() => settings(flags)).toThrow(UsageError);
  expect(() => settings(flags)).toThrow(why);
});
