import { expect, test } from 'vitest';
import { UsageError } from '../../src/lib/errors.ts';
import { balancerOptions, balancerSettings } from '../../src/options/balancer-options.ts';
import { parseCommandLine } from '../../src/options/command-line.ts';

const spec = { name: 'balancer', summary: '', options: balancerOptions };
const settings = (flags = '') =>
  balancerSettings(parseCommandLine(spec, flags.split(' ').filter(Boolean), {}));

test('the defaults hold together', () => {
  expect(settings()).toMatchObject({
    ...{ prefix: '/test', nginxConf: '/etc/nginx/nginx.conf', nginxPid: '/run/nginx.pid' },
    ...{ listen: '80', confirmListen: '127.0.0.1:8079', confirmUrl: 'http://127.0.0.1:8079/' },
    ...{ template: undefined, reload: { kind: 'signal' }, once: false, dryRun: false },
  });
});

test.each([
  ['--once --dry-run', 'contradict each other'],
  ['--listen 127.0.0.1:8079', 'needs an address of its own'],
  ['--confirm-listen 127.0.0.1:9000', 'does not reach --confirm-listen 127.0.0.1:9000'],
  ['--confirm-url http://127.0.0.1/', 'give both the same port'],
])('%s is refused: %s', (flags, why) => {
  expect(() => settings(flags)).toThrow(UsageError);
  expect(() => settings(flags)).toThrow(why);
});

test('with its URL the confirmation may be anywhere', () => {
  const flags = '--confirm-listen 127.0.0.1:9000 --confirm-url http://127.0.0.1:9000/generation';
  expect(settings(flags).confirmUrl).toBe('http://127.0.0.1:9000/generation');
  expect(settings('--confirm-url http://nginx:8079/').confirmUrl).toBe('http://nginx:8079/');
});

test.each([
  ...['--nginx-conf nginx.conf', '--nginx-bin ./nginx', '--prefix test', '--reload kill'],
  ...['--confirm-listen unix:/run/a.sock', '--error-log syslog', '--template relative.liquid'],
])('%s is refused', (flags) => {
  expect(() => settings(flags)).toThrow(UsageError);
});
