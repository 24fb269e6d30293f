import { expect, test } from 'vitest';
import { DeadlineError } from '../../../src/lib/errors.ts';
import { FaultExplainer } from '../../../src/registry/etcd/explain.ts';
import { RotatingCredentials } from '../../../src/registry/etcd/rotation.ts';
import { virtualClock } from '../../support/virtual-clock.ts';

const url = 'https://127.0.0.1:2379';
const note = '; the certificate in /etc/old.pem expired on 2025-01-01T00:00:00.000Z';
/** As grpc-js says it. */
const away = (why: string) => {
  const text = `14 UNAVAILABLE: No connection established. Last error: ${why}. Resolution note: `;
  return Object.assign(new Error(text), { code: 14 });
};

function explaining() {
  const clock = virtualClock();
  const validity = [{ file: '/etc/old.pem', until: new Date('2025-01-01T00:00:00Z') }];
  const credentials = new RotatingCredentials({}, { validity }, clock, () => {});
  const explainer = new FaultExplainer(credentials, clock);
  return (error: unknown) => explainer.explain({ what: 'etcd read' }, url, error, 600).message;
}

test.each([
  'Error: unable to verify the first certificate',
  'Error: certificate has expired',
  '40A7:error:0A000412:SSL routines:ssl3_read_bytes:ssl/tls alert bad certificate:../deps/x.c:918:SSL alert number 42',
  '40A7:error:0A000410:SSL routines:ssl3_read_bytes:ssl/tls alert handshake failure:../deps/x.c:918:SSL alert number 40',
])('an expired certificate is named where certificates are the trouble: %s', (why) => {
  expect(explaining()(away(why))).toContain(note);
});

test.each([
  'Error: connect ECONNREFUSED 127.0.0.1:2379',
  'Error: connect EHOSTUNREACH 127.0.0.1:2379',
  'Error: no TCP connection within 1500 ms',
  'Error: no TLS handshake within 1500 ms',
  'Error: read ECONNRESET',
  'null',
])('and nowhere else: %s', (why) => {
  expect(explaining()(away(why))).not.toContain('expired');
});

test('nor for an etcd that is late, or has no leader', () => {
  const explain = explaining();
  expect(explain(new DeadlineError('etcd read', 600))).not.toContain('expired');
  const noLeader = Object.assign(new Error('14 UNAVAILABLE: etcdserver: no leader'), { code: 14 });
  expect(explain(noLeader)).not.toContain('expired');
});

test('who is told no reason is told the last one of that endpoint, with its note', () => {
  const explain = explaining();
  const told = explain(away('Error: certificate has expired'));
  expect(told).toContain(note);
  expect(explain(away('null'))).toBe(told);
  const refused = explain(away('Error: connect ECONNREFUSED 127.0.0.1:2379'));
  expect(refused).toBe(`etcd read at ${url}: connect ECONNREFUSED 127.0.0.1:2379`);
  expect(explain(away('null'))).toBe(refused);
});
