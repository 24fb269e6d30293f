import { expect, test } from 'vitest';
import { UsageError } from '../../src/lib/errors.ts';
import { balancerOptions, balancerSettings } from '../../src/options/balancer-options.ts';
import { parseCommandLine } from '../../src/options/command-line.ts';
import { onlyService } from '../../src/options/service-values.ts';

const spec = { name: 'balancer', summary: '', options: balancerOptions };
const settings = (flags = '') =>
  balancerSettings(parseCommandLine(spec, flags.split(' ').filter(Boolean), {}));

test('the defaults hold together', () => {
  expect(settings()).toMatchObject({
    ...{ prefix: undefined, nginxConf: '/etc/nginx/nginx.conf', nginxPid: '/run/nginx.pid' },
    ...{ listen: '80', confirmListen: '127.0.0.1:8079', confirmUrl: 'http://127.0.0.1:8079/' },
    ...{ template: undefined, reload: { kind: 'signal' }, once: false, dryRun: false },
    ...{ services: [onlyService('/test')], recordPrefix: '/rollcall', ttl: 10_000 },
    ...{ hold: 10_000, holdAbove: 0.5, settle: 100, settleMax: 1000, maxGenerations: 8 },
    ...{ state: undefined, workerShutdownTimeout: 240_000 },
  });
});

test.each([
  ['--once --dry-run', 'contradict each other'],
  ['--listen 127.0.0.1:8079', 'needs an address of its own'],
  ['--confirm-listen 127.0.0.1:9000', 'does not reach --confirm-listen 127.0.0.1:9000'],
  ['--confirm-url http://127.0.0.1/', 'give both the same port'],
  ['--prefix /a --service b=/b', '--prefix /a and --service contradict each other'],
  ['--settle 2s', '--settle 2s is longer than --settle-max 1s: give --settle-max 2s or more'],
  ['--prefix /rollcall/a', '--record-prefix /rollcall cannot go with --prefix /rollcall/a: give'],
  ['--service a=/rollcall', 'cannot go with --service a=/rollcall: give a prefix that is neither'],
  ['--state /etc/nginx/nginx.conf', '--state and --nginx-conf are both /etc/nginx/nginx.conf'],
  ['--template /a --nginx-conf /a', '--nginx-conf and --template are both /a: what is written'],
  ['--error-log /a --nginx-conf /a', '--nginx-conf and --error-log are both /a: what is written'],
  ['--state /a --error-log /a', '--state and --error-log are both /a: the state needs a file'],
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
  ...['--ttl 1s', '--ttl 2500ms', '--ttl 6m', '--hold 0s', '--hold 11m', '--hold-above 0.5'],
  ...['--hold-above 101%', '--settle 61s', '--settle-max 11m', '--max-generations 1'],
  ...['--max-generations 101', '--state state.json', '--worker-shutdown-timeout 240'],
])('%s is refused', (flags) => {
  expect(() => settings(flags)).toThrow(UsageError);
});

test('what holds together is taken as it was given', () => {
  const flags =
    '--settle 0s --settle-max 0s --hold-above 100% --record-prefix /records --state /var/lib/a ' +
    '--ttl 2s --max-generations 2 --hold 1s --prefix /rollcall';
  expect(settings(flags)).toMatchObject({
    ...{ settle: 0, settleMax: 0, holdAbove: 1, recordPrefix: '/records', state: '/var/lib/a' },
    ...{ ttl: 2000, maxGenerations: 2, hold: 1000, services: [onlyService('/rollcall')] },
  });
});
