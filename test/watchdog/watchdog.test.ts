import { afterEach, expect, test } from 'vitest';
import { Registration } from '../../src/watchdog/registration.ts';
import { runWatchdog, type WatchdogStatus } from '../../src/watchdog/watchdog.ts';
import { storedKey } from '../support/builders.ts';
import { fakeLeaseStore } from '../support/fake-lease-store.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { virtualClock } from '../support/virtual-clock.ts';

const key = '/test/apache-8001';
const address = '127.0.0.1:8001';

let stop = new AbortController();
afterEach(() => stop.abort());

/** A watchdog on a fake etcd and a virtual clock; `apache.well` is what its probes see. */
function watching() {
  stop = new AbortController();
  const clock = virtualClock();
  const store = fakeLeaseStore();
  const { log, lines } = recordedLog();
  const apache = { well: true };
  const statuses: WatchdogStatus[] = [];
  const ended = runWatchdog(
    {
      probe: async () => {
        const timing = { startedAtMs: clock.now(), durationMs: 1 };
        const reason = 'connection refused';
        return apache.well
          ? { passed: true, ...timing }
          : { passed: false, kind: 'refused', reason, ...timing };
      },
      registration: new Registration({ key, address, ttlMs: 5000, evidenceMs: 2000 }, store, clock),
      judgement: { rise: 2, fall: 2 },
      ...{ intervalMs: 1000, fastIntervalMs: 250 },
      ...{ clock, random: () => 0, log },
      observer: {
        onProbe: () => {},
        onTransition: () => {},
        onRegistration: () => {},
        onStatus: (status) => statuses.push(status),
      },
    },
    stop.signal,
  );
  const news = () => lines.filter((line) => !line.startsWith('debug'));
  return { clock, store, apache, ended, news, status: () => statuses.at(-1) };
}

test('the key is written after rise passes, and renewed by each one that follows', async () => {
  const { clock, store, status } = watching();
  await clock.advance(249);
  expect(store.calls).toEqual([]);
  await clock.advance(1);
  expect(store.calls).toEqual(['grant', 'read', 'put under lease-1']);
  expect(status()).toMatchObject({ health: { state: 'up' }, registered: true });
  await clock.advance(3000);
  expect(store.calls.filter((call) => call === 'renew lease-1')).toHaveLength(3);
});

test('a failing backend keeps its key unrenewed, and loses it at once when it is down', async () => {
  const { clock, store, apache, status } = watching();
  await clock.advance(250);
  store.calls.length = 0;
  apache.well = false;
  await clock.advance(1000);
  expect(status()).toMatchObject({ health: { state: 'failing' }, registered: true });
  expect(store.calls).toEqual([]);
  await clock.advance(250);
  expect(store.calls).toEqual(['revoke lease-1']);
  expect(store.stored).toBeUndefined();
  expect(status()).toMatchObject({ registered: false, registration: 'not held: down' });
});

test('a removal that etcd did not take is tried again at each probe', async () => {
  const { clock, store, apache } = watching();
  await clock.advance(250);
  apache.well = false;
  store.beforeAnswer = async () => {
    throw new Error('etcd is away');
  };
  await clock.advance(5000);
  expect(store.stored).toBeDefined();
  store.beforeAnswer = async () => {};
  await clock.advance(1000);
  expect(store.stored).toBeUndefined();
});

test('etcd away is warned of once, and its return is told', async () => {
  const { clock, store, news } = watching();
  await clock.advance(250);
  store.beforeAnswer = async () => {
    throw new Error('etcd is away');
  };
  await clock.advance(10_000);
  store.beforeAnswer = async () => {};
  await clock.advance(1000);
  expect(news()).toEqual([
    'info backend is up',
    'info key written',
    'warn etcd does not do what was asked; trying again at each probe',
    'info etcd answers again',
  ]);
});

test('a key of another watchdog is waited for, and taken when it goes', async () => {
  const { clock, store, status } = watching();
  store.stored = storedKey(key, '127.0.0.1:9999', { leaseId: 'theirs' });
  await clock.advance(3000);
  expect(status()).toMatchObject({
    ...{ registered: false, registration: 'held by another, as 127.0.0.1:9999' },
  });
  store.expire('theirs');
  await clock.advance(1000);
  expect(store.stored?.value).toBe(address);
});

test('a shutdown removes the key', async () => {
  const { clock, store, ended, news } = watching();
  await clock.advance(250);
  stop.abort();
  await ended;
  expect(store.stored).toBeUndefined();
  expect(news().at(-1)).toBe('info key removed: shutting down');
});

test('a shutdown while etcd is away ends all the same, and says when the key goes', async () => {
  const { clock, store, ended, news } = watching();
  await clock.advance(250);
  store.beforeAnswer = async () => {
    throw new Error('etcd is away');
  };
  stop.abort();
  await ended;
  expect(news().at(-1)).toBe('warn key not removed: it goes with its lease');
});

test('a backend that begins to fail while another holds its key does not claim to be registered', async () => {
  const { clock, store, apache, status } = watching();
  store.stored = storedKey(key, '127.0.0.1:9999', { leaseId: 'theirs' });
  await clock.advance(250);
  expect(status()).toMatchObject({ health: { state: 'up' }, registered: false });
  apache.well = false;
  await clock.advance(1000);
  expect(status()).toMatchObject({ health: { state: 'failing' }, registered: false });
});
