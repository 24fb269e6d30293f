import { afterEach, expect, test } from 'vitest';
import { nothingSaid } from '../../../src/balancer/said.ts';
import { balancerMetrics } from '../../../src/balancer/telling/metrics.ts';
import { poolReporter } from '../../../src/balancer/telling/pool-report.ts';
import { balancerStatus } from '../../../src/balancer/telling/status.ts';
import { Notices } from '../../../src/lib/log.ts';
import { recordKey } from '../../../src/registry/record.ts';
import { balancing, stopBalancing } from '../../support/balancing.ts';
import { recordOf } from '../../support/builders.ts';
import { recordedLog } from '../../support/recorded-log.ts';

afterEach(stopBalancing);

const since = '2026-01-01T00:00:00.000Z';

test('a drain is no trouble: told once when it begins and once when it is over, listed and counted', async () => {
  const { clock, store, turns, put } = balancing();
  put('a', 8001);
  put('b', 8002);
  await clock.advance(1000);
  const { log, lines } = recordedLog();
  const tell = poolReporter(log, new Notices(log));
  const tellAll = () => {
    for (const turn of turns.splice(0, turns.length - 1)) tell(turn);
  };
  const drained = async () => {
    const metrics = balancerMetrics(clock);
    const turn = turns.at(-1);
    if (turn) metrics.show(turn, nothingSaid);
    const { backends } = balancerStatus(turn, nothingSaid, clock.now());
    const counted = /state="drained"} (\d+)/.exec(await metrics.registry.metrics());
    return [backends.filter(({ state }) => state === 'drained'), Number(counted?.[1])];
  };
  tellAll();
  expect([lines, await drained()]).toEqual([[], [[], 0]]);

  store.delete('/test/a');
  const record = recordOf({ drain: { by: 'operator', since } });
  store.put(recordKey('/rollcall', '/test/a'), JSON.stringify(record), '7');
  await clock.advance(3000);
  tellAll();
  const reason = `drained by operator since ${since}`;
  expect(lines).toEqual([`info backend drained: ${reason}`]);
  expect(await drained()).toEqual([
    [{ service: 'backend', key: '/test/a', address: '127.0.0.1:8001', state: 'drained', reason }],
    1,
  ]);

  put('a', 8001);
  store.put(recordKey('/rollcall', '/test/a'), JSON.stringify(recordOf()), '7');
  await clock.advance(3000);
  tellAll();
  expect(lines.slice(1)).toEqual(['info backend no longer drained']);
  expect(await drained()).toEqual([[], 0]);
});

test('an order alone is told too, when nothing else changes', async () => {
  const { clock, turns, put } = balancing();
  put('a', 8001);
  await clock.advance(1000);
  const { log, lines } = recordedLog();
  const tell = poolReporter(log, new Notices(log));
  const turn = turns.at(-1);
  if (!turn) throw new Error('no turn');
  tell(turn);
  const drained = [{ key: '/test/z', address: null, reason: 'drained by joe@lb1' }];
  tell({ ...turn, censuses: turn.censuses.map((census) => ({ ...census, drained })) });
  expect(lines).toEqual(['info backend drained: drained by joe@lb1']);
});
