import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { readCredentials } from '../../../src/registry/etcd/credentials.ts';
import type { EtcdEvent } from '../../../src/registry/etcd/events.ts';
import { lookEveryMs, RotatingCredentials } from '../../../src/registry/etcd/rotation.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { makeTls } from '../../support/tls.ts';
import { virtualClock } from '../../support/virtual-clock.ts';
import { makeWeakCertificate } from '../../support/weak-certificate.ts';

test('a certificate that OpenSSL refuses changes nothing, and is told once; the next is used', async () => {
  await using tls = await makeTls();
  await using directory = await temporaryDirectory();
  const weak = await makeWeakCertificate(directory.path);
  const files = { cert: join(directory.path, 'cert'), key: join(directory.path, 'key') };
  const put = async ({ cert, key }: typeof files) => {
    await copyFile(cert, files.cert);
    await copyFile(key, files.key);
  };
  await put(tls.client);
  const first = await readCredentials(files);
  if (!first.ok) return expect.unreachable(first.reason);
  const clock = virtualClock();
  const events: EtcdEvent[] = [];
  const credentials = new RotatingCredentials(files, first.value, clock, (event) =>
    events.push(event),
  );
  const looksUntil = (last: EtcdEvent) =>
    vi.waitFor(
      async () => {
        await clock.advance(lookEveryMs);
        credentials.look();
        expect(events.at(-1)).toEqual(last);
      },
      { timeout: 5000, interval: 5 },
    );

  const reason = `${files.cert}: it cannot be used: ee key too small`;
  await put(weak);
  await looksUntil({ kind: 'credentials-kept', reason });
  expect(credentials.current).toBe(first.value);
  const { changed } = credentials;
  expect(changed.aborted).toBe(false);

  await put(tls.server);
  await looksUntil({ kind: 'credentials-changed' });
  expect(changed.aborted).toBe(true);
  // A look may have come between the two files.
  expect(events.filter((event) => 'reason' in event && event.reason === reason)).toHaveLength(1);
});
