/** The watchdog stands still within a probe: what its backend answered meanwhile still counts. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { startWatchdog } from '../../scripts/parts/rollcall.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { openKeys } from '../support/keys.ts';
import { httpServer } from '../support/local-server.ts';

const frozenMs = 2500;

test('frozen for longer than a probe may take, it does not blame the backend', async () => {
  using keys = await openKeys(inject('etcdUrl'));
  let asked: (() => void) | undefined;
  await using backend = await httpServer((_, response) => {
    asked?.();
    setTimeout(() => response.end('well'), 400);
  });
  const address = new URL(backend.url).host;
  await using watchdog = await startWatchdog({
    ...{ etcd: inject('etcdUrl'), key: keys.key('apache'), address, ttl: '20s', fall: 1 },
  });
  await waitUntil({ expected: 'the key', withinMs: 10_000 }, async () => {
    const { registered, registration } = await watchdog.status();
    return registered || registration;
  });
  for (let round = 0; round < 3; round += 1) {
    await new Promise<void>((resolve) => (asked = resolve));
    asked = undefined;
    await watchdog.freeze();
    await sleep(frozenMs);
    watchdog.resume();
    await sleep(1500);
  }
  expect(watchdog.log.filter(({ msg }) => msg === 'backend is down')).toEqual([]);
  expect((await keys.history()).map(({ kind }) => kind)).toEqual(['put']);
}, 40_000);
