import { expect, test } from 'vitest';
import { DeadlineError } from '../../../src/lib/errors.ts';
import { causeOf, printable } from '../../../src/watchdog/probe/reason.ts';

const system = (code: string, rest = {}) =>
  Object.assign(new Error(`connect ${code}`), { code, ...rest });

test.each([
  ['ECONNREFUSED', 'refused', 'connection refused'],
  ['ECONNRESET', 'reset', 'connection reset by peer'],
  ['EPIPE', 'reset', 'connection reset by peer'],
  ['EHOSTUNREACH', 'unreachable', 'no route to host'],
  ['ENETUNREACH', 'unreachable', 'network is unreachable'],
  ['ETIMEDOUT', 'timeout', 'connection timed out'],
  ['EMFILE', 'other', 'too many open files in this process: EMFILE'],
  ['EACCES', 'other', 'connect EACCES'],
])('%s is %s: %s', (code, kind, reason) => {
  expect(causeOf(system(code), 'connect', 1000)).toEqual({ kind, reason });
});

test.each([
  ['lookup', 'timeout: no answer within 1000 ms (in lookup)'],
  ['connect', 'timeout: no answer within 1000 ms (in connect)'],
  ['tls', 'timeout: no answer within 1000 ms (in tls)'],
  ['headers', 'timeout: no answer within 1000 ms (in headers)'],
  ['body', 'timeout: no complete answer within 1000 ms (in body)'],
] as const)('out of time in %s', (phase, reason) => {
  expect(causeOf(new DeadlineError('probe', 1000), phase, 1000)).toEqual({
    kind: 'timeout',
    reason,
  });
});

test.each([
  ['ENOTFOUND', 'name not found: ENOTFOUND web1'],
  ['EAI_AGAIN', 'name lookup failed: EAI_AGAIN web1'],
])('a name: %s', (code, reason) => {
  const error = system(code, { syscall: 'getaddrinfo', hostname: 'web1' });
  expect(causeOf(error, 'lookup', 1000)).toEqual({ kind: 'lookup', reason });
});

test('a handshake that breaks off is no matter of certificates', () => {
  expect(causeOf(system('ECONNRESET'), 'tls', 1000)).toEqual({
    ...{ kind: 'reset', reason: 'connection reset by peer in TLS' },
  });
});

test('OpenSSL’s own message names its source files: its reason is shown', () => {
  const error = Object.assign(new Error('00FE:error:0A00010B:SSL routines:../ssl/x.c:354:'), {
    ...{ code: 'ERR_SSL_WRONG_VERSION_NUMBER', reason: 'wrong version number' },
  });
  expect(causeOf(error, 'tls', 1000)).toEqual({ kind: 'tls', reason: 'wrong version number' });
});

test('what is thrown and is no error has a reason all the same', () => {
  expect(causeOf('oh\nno', 'headers', 1000)).toEqual({ kind: 'other', reason: 'oh no' });
});

test.each([
  ['a\r\nb\tc  d', 'a b c d'],
  ['\u001b[31mr\u00f6d\u0000', '?[31mr?d?'],
  ['x'.repeat(300), `${'x'.repeat(197)}...`],
  ['x'.repeat(200), 'x'.repeat(200)],
])('%j is printed as %j', (text, shown) => {
  expect(printable(text)).toBe(shown);
});
