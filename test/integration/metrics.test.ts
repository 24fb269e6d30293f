/**
 * The metrics of both commands, as Prometheus' own checker sees them: it reads them, and has
 * nothing to say about their names, types and help.
 */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { expect, inject, test } from 'vitest';
import { startApache } from '../../scripts/parts/apache.ts';
import { findProgram } from '../../scripts/parts/find-program.ts';
import { httpGet } from '../../scripts/parts/http-get.ts';
import { startBalancer, startWatchdog } from '../../scripts/parts/rollcall.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { openKeys } from '../support/keys.ts';
import { makeNginxSite, untilConfirmed } from '../support/nginx-site.ts';

const checkedWithinMs = 10_000;

const metricsOf = async ({ adminUrl }: { readonly adminUrl: string }) =>
  (await httpGet(`${adminUrl}/metrics`, 1000)).body;

/** What `promtool check metrics` says: nothing, where all is well. */
async function complaintsOf(metrics: string): Promise<string> {
  const promtool = spawn(findProgram('promtool'), ['check', 'metrics'], {
    timeout: checkedWithinMs,
    stdio: 'pipe',
  });
  promtool.stdin.end(metrics);
  const [out, err] = await Promise.all([text(promtool.stdout), text(promtool.stderr)]);
  return out + err;
}

test('the checker does complain', async () => {
  expect(await complaintsOf('# TYPE rollcall_turns counter\nrollcall_turns 1\n')).toContain(
    'counter metrics should have "_total" suffix',
  );
});

test('the metrics of a watchdog, its key held and then its apache failing', async () => {
  using keys = await openKeys(inject('etcdUrl'));
  await using apache = await startApache();
  await using watchdog = await startWatchdog({
    ...{ etcd: inject('etcdUrl'), key: keys.key('apache'), address: apache.address },
    ...{ interval: '100ms', 'fast-interval': '50ms' },
  });
  const stateIs = (state: string) =>
    waitUntil({ expected: `the state ${state}`, withinMs: 10_000 }, async () => {
      const metrics = await metricsOf(watchdog);
      return metrics.includes(`rollcall_backend_state{state="${state}"} 1\n`) || metrics;
    });
  expect(await complaintsOf(await metricsOf(watchdog))).toBe('');
  await stateIs('up');
  expect(await complaintsOf(await metricsOf(watchdog))).toBe('');
  await apache.failing(true);
  await stateIs('down');
  const metrics = await metricsOf(watchdog);
  expect(metrics).toMatch(/^rollcall_probes_total\{result="status"\} [1-9]/m);
  expect(await complaintsOf(metrics)).toBe('');
});

test('the metrics of a balancer, before nginx serves anything and after', async () => {
  using keys = await openKeys(inject('etcdUrl'));
  await using site = await makeNginxSite(inject('etcdUrl'), keys.prefix);
  await keys.put('one', '127.0.0.1:20001');
  await keys.put('none', 'no address');
  await using balancer = await startBalancer(site.flags);
  expect(await complaintsOf(await metricsOf(balancer))).toBe('');
  await site.startNginx();
  await untilConfirmed(balancer, 'both keys', ({ backends }) => backends.length === 2);
  const metrics = await metricsOf(balancer);
  expect(metrics).toContain('rollcall_pool_backends{service="backend",state="in_pool"} 1\n');
  expect(await complaintsOf(metrics)).toBe('');
});
