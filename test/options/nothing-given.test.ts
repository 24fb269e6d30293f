import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { spec as balancer } from '../../src/commands/balancer.ts';
import { UsageError } from '../../src/lib/errors.ts';
import { refuseNothingGiven } from '../../src/options/nothing-given.ts';

let shown = '';
beforeEach(() => {
  shown = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    shown += String(text);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

test.each<[string, Record<string, string>]>([
  ['nothing at all', {}],
  ['how it is watched', { ROLLCALL_ADMIN: '127.0.0.1:9100', ROLLCALL_LOG_LEVEL: 'debug' }],
  ['an empty variable, which is as good as none', { ROLLCALL_PREFIX: '' }],
  ['what is of another command', { ROLLCALL_KEY: '/test/apache-8001', ROLLCALL_PORT: 'tcp://x' }],
])('%s is nothing to do: its help, then why', (_what, environment) => {
  expect(() => refuseNothingGiven(balancer, [], environment)).toThrow(UsageError);
  expect(() => refuseNothingGiven(balancer, [], environment)).toThrow(/^no option given: /);
  expect(shown).toMatch(/^Usage: rollcall balancer .*--etcd/s);
});

test.each<[string, readonly string[], Record<string, string>]>([
  ['a flag', ['--prefix', '/test'], {}],
  ['a flag that is none, for the parser to refuse', ['--nonsense'], {}],
  ['a variable', [], { ROLLCALL_ETCD: 'http://10.0.0.1:2379' }],
])('%s is something, and nothing is shown', (_what, argv, environment) => {
  expect(() => refuseNothingGiven(balancer, argv, environment)).not.toThrow();
  expect(shown).toBe('');
});
