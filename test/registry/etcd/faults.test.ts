import { GRPCDeadlineExceededError, GRPCUnavailableError } from 'etcd3';
import { expect, test } from 'vitest';
import { DeadlineError } from '../../../src/lib/errors.ts';
import { faultOf, reasonOf, StreamEnded } from '../../../src/registry/etcd/faults.ts';

test.each([
  [
    '14 UNAVAILABLE: No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:1 (2026-01-01T00:00:00.000Z). Resolution note: ',
    'connect ECONNREFUSED 127.0.0.1:1',
  ],
  [
    '14 UNAVAILABLE: No connection established. Last error: 40A7:error:0A000412:SSL routines:ssl3_read_bytes:ssl/tls alert bad certificate:../deps/x.c:918:SSL alert number 42 (2026-01-01T00:00:00.000Z). Resolution note: ',
    'etcd did not accept the client certificate, or asks for one (ssl/tls alert bad certificate)',
  ],
  [
    '14 UNAVAILABLE: No connection established. Last error: null. Resolution note: ',
    'no connection',
  ],
  ['7 PERMISSION_DENIED: etcdserver: permission denied', 'permission denied'],
  ['rpc error: code = PermissionDenied desc = etcdserver: permission denied', 'permission denied'],
])('%s is told as: %s', (given, told) => {
  expect(reasonOf(new Error(given))).toBe(told);
});

/** As grpc-js throws it. */
const status = (code: number, message: string) => Object.assign(new Error(message), { code });

test.each([
  [new GRPCUnavailableError('14 UNAVAILABLE: x'), 'ETCD_CONNECTION'],
  [status(14, '14 UNAVAILABLE: Connection dropped'), 'ETCD_CONNECTION'],
  [status(14, '14 UNAVAILABLE: etcdserver: no leader'), 'ETCD_CONNECTION'],
  [new StreamEnded('etcd ended the watch'), 'ETCD_CONNECTION'],
  [new GRPCDeadlineExceededError('4 DEADLINE_EXCEEDED: x'), 'DEADLINE'],
  [new DeadlineError('x', 1), 'DEADLINE'],
  [status(16, '16 UNAUTHENTICATED: etcd refused the token'), 'ETCD_TOKEN'],
  [status(3, '3 INVALID_ARGUMENT: etcdserver: user name is empty'), 'ETCD_TOKEN'],
  [status(2, '2 UNKNOWN: auth: revision in header is old'), 'ETCD_TOKEN'],
  [status(3, '3 INVALID_ARGUMENT: etcdserver: revision of auth store is old'), 'ETCD_TOKEN'],
  [status(3, 'etcdserver: authentication failed, invalid user ID or password'), 'ETCD_LOGIN'],
  [status(7, '7 PERMISSION_DENIED: etcdserver: permission denied'), 'ETCD_PERMISSION'],
  [new StreamEnded('etcd canceled the watch: etcdserver: permission denied'), 'ETCD_PERMISSION'],
  [status(8, '8 RESOURCE_EXHAUSTED: Received message larger than max'), 'ETCD_REFUSED'],
  [status(5, '5 NOT_FOUND: etcdserver: requested lease not found'), 'ETCD_REFUSED'],
])('%s is a fault of kind %s', (error, code) => {
  expect(faultOf('etcd read', error, 600).code).toBe(code);
});

test('whichever deadline came first, the words are the same, and a hint goes to its kind only', () => {
  const hints = { DEADLINE: '; expired', ETCD_PERMISSION: ': ask' };
  const late = [new DeadlineError('other', 7), new GRPCDeadlineExceededError('4 DEADLINE')];
  for (const error of late) {
    expect(faultOf('etcd read', error, 600, hints).message).toBe(
      'etcd read: no answer within 600 ms; expired',
    );
  }
  const denied = faultOf('etcd read', new Error('permission denied'), 600, hints);
  expect(denied.message).toBe('etcd read: permission denied: ask');
  expect(faultOf('again', denied, 600, hints)).toBe(denied);
});
