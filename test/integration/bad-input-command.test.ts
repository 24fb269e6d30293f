/**
 * Command lines that are wrong before any option has a value, and the same mistakes made in the
 * environment: one line, exit status 2, nothing touched (refusal.ts).
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCli } from '../support/cli.ts';
import { refusal, startUntouched, type Untouched, type Wrong } from '../support/refusal.ts';

let world: Untouched;
beforeAll(async () => void (world = await startUntouched()));
afterAll(() => world[Symbol.asyncDispose]());

const ofCommand = 'one of watchdog, balancer';

const commands: readonly Wrong[] = [
  ['no command', [], 'no command given', ofCommand],
  ['an empty command', [''], 'no command given', ofCommand],
  ['an unknown command', ['balance'], 'unknown command "balance"', ofCommand],
  ['a command of every object', ['constructor'], 'unknown command "constructor"', ofCommand],
  ['an option for a command', ['--prefix', '/test'], 'unknown command "--prefix"', ofCommand],
  ['two lines for a command', ['a\nb'], String.raw`unknown command "a\nb"`, ofCommand],
];

test.concurrent.for(commands)('%s', async ([, given, ...says]) => {
  expect(await world.run(given)).toEqual(refusal(...says));
});

const flags: readonly Wrong[] = [
  ['an unknown flag', ['--tll', '5s'], "'--tll'", '--ttl'],
  ['an unknown flag and its value', ['--tll=5s'], "'--tll'", '--ttl'],
  ['a flag in camel case', ['--fastInterval', '1s'], "'--fastInterval'", '--fast-interval'],
  ['a flag of the other command', ['--prefix', '/test'], "unknown option '--prefix'"],
  ['a flag like no other', ['--wherever'], "unknown option '--wherever'"],
  ['a flag without its value', ['--ttl'], '--ttl <DURATION>', 'missing'],
  ['a word too many', ['apache-8001'], 'apache-8001'],
];

describe.concurrent('words of the watchdog', () => {
  test.for(flags)('%s', async ([, given, ...says]) => {
    expect(await world.run([...world.watchdog, ...given])).toEqual(refusal(...says));
  });
});

/** Of the commands that an operator runs by hand: each with what is right but for what is wrong. */
const byOperator: readonly Wrong[] = [
  ['drain: no key', ['drain'], 'KEY is required', 'ROLLCALL_KEY', '/test/apache-8001'],
  ['undrain: no key', ['undrain', '--wait'], 'KEY is required', 'ROLLCALL_KEY'],
  ['wait: no key', ['wait', '--in-rotation'], 'KEY is required', 'ROLLCALL_KEY'],
  ['drain: an empty key', ['drain', ''], 'KEY is required'],
  ['drain: a key of one part', ['drain', '/a'], 'KEY: "/a"', '/PREFIX/NAME'],
  ['drain: no key but a name', ['drain', 'apache-8001'], 'KEY: "apache-8001"', '/PREFIX/NAME'],
  ['undrain: a key as a flag', ['undrain', '--key', '/test/a'], "unknown option '--key'"],
  ['drain: two keys', ['drain', '/test/a', '/test/b'], 'one KEY at a time', '"/test/b"'],
  ['drain: a key on two lines', ['drain', '/test/a\nb'], String.raw`KEY: "/test/a\nb"`],
  ['drain: a record for a key', ['drain', '/rollcall/a'], '--record-prefix /rollcall', 'KEY'],
  ['drain: no time', ['drain', '/test/a', '--timeout', '30'], '--timeout: "30"', 'its unit'],
  ['drain: no end', ['drain', '/test/a', '--drain-until', 'over'], '"over"', 'finished'],
  ['drain: no count', ['drain', '/test/a', '--balancers', 'all'], '--balancers: "all"', 'number'],
  ['drain: no reason', ['drain', '/test/a', '--reason'], '--reason <TEXT>', 'missing'],
  [
    'drain: a reason on two lines',
    ['drain', '/test/a', '--reason', 'a\nb'],
    '--reason',
    'one line',
  ],
  ['drain: --wait with a value', ['drain', '/test/a', '--wait=30s'], '--wait takes no value'],
  ['drain: a misspelt flag', ['drain', '/test/a', '--wiat'], "'--wiat'", '--wait'],
  ['undrain: by force', ['undrain', '/test/a', '--force'], "unknown option '--force'"],
  ['wait: for what?', ['wait', '/test/a'], 'rollcall wait /test/a --in-rotation'],
];

describe.concurrent('words of an operator', () => {
  test.for(byOperator)('%s', async ([, given, ...says]) => {
    const env = { ROLLCALL_ETCD: world.etcdUrl };
    expect(await world.run(given, { env })).toEqual(refusal(...says));
  });

  test('a key of the environment', async () => {
    const env = { ROLLCALL_ETCD: world.etcdUrl, ROLLCALL_KEY: 'a' };
    expect(await world.run(['drain'], { env })).toEqual(refusal('ROLLCALL_KEY: "a"'));
  });
});

const variables: readonly Wrong[] = [
  ['watchdog', ['ROLLCALL_TTL=5'], 'ROLLCALL_TTL: "5"', 'a number and its unit'],
  ['watchdog', ['ROLLCALL_FAST_INTERVAL=fast'], 'ROLLCALL_FAST_INTERVAL: "fast"', 'a number and'],
  ['watchdog', ['ROLLCALL_PROBE=ftp://a/'], 'ROLLCALL_PROBE: "ftp://a/"', 'an http:// or'],
  ['watchdog', ['ROLLCALL_LOG_LEVEL=loud'], 'ROLLCALL_LOG_LEVEL: "loud"', 'one of debug'],
  ['watchdog', ['ROLLCALL_ADMIN=here'], 'ROLLCALL_ADMIN: "here"', 'HOST:PORT'],
  ['watchdog', ['ROLLCALL_INTERVAL=10s'], '--interval 10s', '--ttl 5s'],
  ['balancer', ['ROLLCALL_LISTEN=0'], 'ROLLCALL_LISTEN: "0"', 'nginx\'s "listen"'],
  ['balancer', ['ROLLCALL_ONCE=yes'], 'ROLLCALL_ONCE: "yes"', 'true or false'],
  ['balancer', ['ROLLCALL_NGINX_BIN=nginxx'], '--nginx-bin nginxx', 'ENOENT'],
  ['balancer', ['ROLLCALL_TEMPLATE=/none'], '--template /none', 'ENOENT'],
];

describe.concurrent('variables', () => {
  test.for(variables)('of the %s: %s', async ([command, assignments, ...says]) => {
    const env = Object.fromEntries(assignments.map((one) => one.split('=', 2) as [string, string]));
    const line = command === 'watchdog' ? world.watchdog : world.balancer;
    expect(await world.run(line, { env })).toEqual(refusal(...says));
  });

  test('a flag is heard before its variable', async () => {
    const env = { ROLLCALL_TTL: '5s' };
    const ran = await world.run([...world.watchdog, '--ttl', '6'], { env });
    expect(ran).toEqual(refusal('--ttl: "6"'));
  });
});

test.concurrent.for([
  [['--help'], 'Usage: rollcall COMMAND'],
  [['watchdog', '--help'], '--fast-interval <DURATION>'],
  [['balancer', '--help'], 'ROLLCALL_CONFIRM_URL'],
  [['drain', '--help'], 'Usage: rollcall drain [options] [KEY]'],
  [['undrain', '--help'], 'ROLLCALL_KEY'],
  [['wait', '--help'], '--in-rotation'],
  [['--version'], 'rollcall 0.1.0'],
] as const)('%s is answered on standard output', async ([given, words]) => {
  const { status, stdout, stderr } = await runCli(given);
  expect(stdout).toContain(words);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

test.each(['watchdog', 'balancer'])(
  '%s, given nothing but how it is watched: its help, and nothing is started',
  async (command) => {
    const watched = { ROLLCALL_ADMIN: '127.0.0.1:9100', ROLLCALL_LOG_LEVEL: 'debug' };
    // Without an nginx to be found: should it start all the same, this machine's own is left alone.
    const env = { ...watched, PATH: '/nowhere' };
    const { status, stdout, stderr } = await world.run([command], { env });
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(new RegExp(`^Usage: rollcall ${command} .*--etcd`, 's'));
    expect(stderr).toMatch(/\nrollcall: no option given: .*\n$/);
  },
);
