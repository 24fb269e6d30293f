import { expect, test } from 'vitest';
import { changes, table, type View } from '../../scripts/demo/view.ts';
import type { BalancerStatus, WatchdogStatus } from '../../scripts/parts/status.ts';

const NOW = Date.parse('2026-01-01T00:00:12.400Z');

const up: WatchdogStatus = {
  ...{ key: '/test/apache-8001', address: '127.0.0.1:8001', state: 'up' },
  since: '2026-01-01T00:00:00.000Z',
  lastProbe: { passed: true, durationMs: 2.6, at: '2026-01-01T00:00:12.000Z' },
  ...{
    registered: true,
    ...{ inRotation: true, servedBy: [], waitsFor: [], drain: null },
    registration: 'held',
    reason: null,
    instance: 'one',
    host: 'web1',
  },
  recordKey: '/rollcall/watchdogs/test/apache-8001',
  outlivesAtMostMs: { deadMs: 2875, hungMs: 4600, unwatchedMs: 5500, unansweredMs: 9000 },
};

const down: WatchdogStatus = {
  ...up,
  ...{ key: '/test/apache-8002', address: '127.0.0.1:8002', state: 'down' },
  lastProbe: {
    ...{ passed: false, reason: 'connect ECONNREFUSED 127.0.0.1:8002', durationMs: 1 },
    at: '2026-01-01T00:00:12.000Z',
  },
};

const balancer: BalancerStatus = {
  generation: {
    ...{ wanted: '0a1b2c3d4e5f', onDisk: '0a1b2c3d4e5f' },
    ...{ running: '0a1b2c3d4e5f', living: 1 },
  },
  ...{ confirmed: true, trouble: null, waiting: null, services: [] },
  backends: [
    {
      ...{ service: 'backend', key: '/test/apache-8001', address: '127.0.0.1:8001' },
      state: 'in pool',
    },
  ],
  etcd: { connected: true, trouble: null, dataAgeMs: 3, missedEvents: 0 },
};

const view: View = {
  url: 'http://127.0.0.1:8080/',
  ...{ balancer, served: '0a1b2c3d4e5f' },
  backends: [
    { name: 'apache-8001', address: '127.0.0.1:8001', watchdog: up },
    { name: 'apache-8002', address: '127.0.0.1:8002', watchdog: down },
    { name: 'apache-8003', address: '127.0.0.1:8003', watchdog: undefined },
  ],
};

test('the table says all there is to say in 80 columns', () => {
  const text = table(view, NOW);
  expect(`\n${text}\n`).toMatchInlineSnapshot(`
    "
    backend       state      nginx pool  last probe                         since
    apache-8001   up         in pool     passed in 3 ms                     12 s
    apache-8002   down       not in pool connect ECONNREFUSED 127.0.0.1:80… 12 s
    apache-8003   unwatched  not in pool none

    nginx serves generation 0a1b2c3d4e5f, confirmed
    etcd answers
    "
  `);
  expect(Math.max(...text.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(80);
});

test('what does not answer is said, not guessed', () => {
  expect(table({ ...view, balancer: undefined }, NOW)).toContain('; the balancer does not answer');
  expect(table({ ...view, served: undefined }, NOW)).toContain('nginx does not answer');
  expect(table({ ...view, served: '000000000000' }, NOW)).toContain('not confirmed yet');
});

test('a change is one line, no change is none', () => {
  expect(changes(view, view)).toEqual([]);
  expect(changes(undefined, view)).toHaveLength(5);
  expect(changes(view, { ...view, served: undefined })).toEqual(['nginx does not answer']);
});
