import { expect, test } from 'vitest';
import { Notices } from '../../../src/lib/log.ts';
import { type EtcdEvent, tellEtcdEvent } from '../../../src/registry/etcd/events.ts';
import { recordedLog } from '../../support/recorded-log.ts';

function told(...events: readonly EtcdEvent[]): readonly string[] {
  const { log, lines } = recordedLog();
  const notices = new Notices(log);
  for (const event of events) tellEtcdEvent(event, notices);
  return lines.filter((line) => !line.startsWith('debug'));
}

test('files that cannot be used are told once, and what is used instead when that changes', () => {
  const kept = { kind: 'credentials-kept', reason: '/key.pem: it is empty' } as const;
  expect(told(kept, kept, { kind: 'credentials-changed' }, kept)).toEqual([
    'warn etcd: the files changed and cannot be used, so what was read before stays in use: /key.pem: it is empty',
    'info etcd: new certificates or password in use',
    'warn etcd: the files changed and cannot be used, so what was read before stays in use: /key.pem: it is empty',
  ]);
});

test('a login that is refused is told with its user, and so is its end', () => {
  const user = 'sidecar';
  const failed = { kind: 'authentication-failed', user, reason: 'invalid password' } as const;
  expect(told(failed, failed, { kind: 'authenticated', user })).toEqual([
    'error etcd: user sidecar: invalid password',
    'info etcd: user and password are accepted again',
  ]);
});

test('a password that goes in clear, or to nobody, is told', () => {
  expect(told({ kind: 'password-in-clear' }, { kind: 'authentication-off' })).toEqual([
    'warn etcd: the password goes over the network unencrypted: use https:// endpoints',
    'warn etcd: authentication is not enabled there, so user and password are not used',
  ]);
});
