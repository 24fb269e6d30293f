/** `rollcall watchdog`: settings to parts, parts to the loop. */
import { type AdminServer, startAdminServer } from '../admin/server.ts';
import { systemClock } from '../lib/clock.ts';
import { createLog } from '../lib/log.ts';
import { shutdownSignal } from '../lib/shutdown.ts';
import { version } from '../lib/version.ts';
import { type CommandSpec, parseCommandLine } from '../options/command-line.ts';
import { warnOfUnknownVariables } from '../options/environment.ts';
import { watchdogOptions, watchdogSettings } from '../options/watchdog-options.ts';
import { EtcdEndpoints } from '../registry/etcd-endpoints.ts';
import { etcdLeases } from '../registry/etcd-leases.ts';
import { watchdogMetrics } from '../watchdog/metrics.ts';
import { probe } from '../watchdog/probe.ts';
import { Registration } from '../watchdog/registration.ts';
import { evidenceMs } from '../watchdog/timing.ts';
import { runWatchdog, type WatchdogStatus } from '../watchdog/watchdog.ts';

export const spec: CommandSpec<typeof watchdogOptions> = {
  name: 'watchdog',
  summary: 'Probe one apache, and hold its key in etcd on a short lease while it passes.',
  options: watchdogOptions,
};

export async function run(
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<number> {
  const settings = watchdogSettings(parseCommandLine(spec, argv, environment));
  const { key, address, ttl: ttlMs, timeout: timeoutMs, rise, fall } = settings;
  const clock = systemClock;
  const random = Math.random;
  const log = createLog(settings.logLevel, { component: 'watchdog', key });

  await using endpoints = new EtcdEndpoints(settings.etcd, clock, random);
  using leases = etcdLeases(endpoints, clock);
  const registration = new Registration(
    { key, address, ttlMs, evidenceMs: evidenceMs(timeoutMs) },
    leases,
    clock,
  );
  const metrics = watchdogMetrics(() => registration.remainingMs);
  let status: WatchdogStatus | undefined;
  await using admin = settings.admin
    ? await startAdminServer(settings.admin, {
        metrics: metrics.registry,
        status: () => describe(key, address, status),
        unready: () =>
          status?.registered ? undefined : (status?.registration ?? 'no probe has ended yet'),
      })
    : undefined;

  const signal = shutdownSignal();
  warnOfUnknownVariables(environment, log);
  log.info({ version, address, probe: settings.probe, ttlMs, admin: shown(admin) }, 'watching');
  await runWatchdog(
    {
      probe: (within) => probe({ url: settings.probe, timeoutMs }, clock, within),
      registration,
      judgement: { rise, fall },
      intervalMs: settings.interval,
      fastIntervalMs: settings.fastInterval,
      clock,
      random,
      log,
      observer: { ...metrics.observer, onStatus: (latest) => (status = latest) },
    },
    signal,
  );
  return 0;
}

const shown = (admin: AdminServer | undefined) => admin && `${admin.host}:${admin.port}`;

function describe(key: string, address: string, status: WatchdogStatus | undefined) {
  const last = status?.lastProbe;
  return {
    key,
    address,
    state: status?.health.state ?? 'starting',
    since: status?.since ?? null,
    lastProbe: last
      ? {
          passed: last.passed,
          ...(last.passed ? {} : { reason: last.reason }),
          durationMs: last.durationMs,
          at: last.at,
        }
      : null,
    registered: status?.registered ?? false,
    registration: status?.registration ?? 'not held: starting',
  };
}
