/** `rollcall watchdog`: settings to parts, parts to the loop. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type AdminServer, startAdminServer } from '../admin/server.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { createLog, type Log, Notices } from '../lib/log.ts';
import { runCommand } from '../lib/run-command.ts';
import { shutdownSignal } from '../lib/shutdown.ts';
import { systemdNotifier } from '../lib/systemd-notify.ts';
import { version } from '../lib/version.ts';
import { backendValue } from '../options/backend-options.ts';
import { type CommandSpec, parseCommandLine } from '../options/command-line.ts';
import { warnOfUnknownVariables } from '../options/environment.ts';
import { etcdAccess } from '../options/etcd-options.ts';
import { refuseNothingGiven } from '../options/nothing-given.ts';
import { probeTarget } from '../options/probe-options.ts';
import { watchdogOptions, watchdogSettings } from '../options/watchdog-options.ts';
import { acknowledgementsBelow } from '../registry/acknowledgement.ts';
import { splitKey } from '../registry/backend.ts';
import { drainOrderKey } from '../registry/drain-order.ts';
import { EtcdEndpoints } from '../registry/etcd/endpoints.ts';
import { tellEtcdEvent } from '../registry/etcd/events.ts';
import { etcdLeases } from '../registry/etcd/leases.ts';
import { follow } from '../registry/follow.ts';
import { recordKey as recordKeyOf } from '../registry/record.ts';
import { watchdogMetrics } from '../watchdog/metrics.ts';
import type { WatchdogStatus } from '../watchdog/observer.ts';
import { ownAddressTowards } from '../watchdog/own-address.ts';
import { openProber } from '../watchdog/probe/prober.ts';
import { shownUrl } from '../watchdog/probe/target.ts';
import { Registration } from '../watchdog/registration/registration.ts';
import { Onlooker } from '../watchdog/drain/onlooker.ts';
import { warnOfOthers } from '../watchdog/drain/others.ts';
import { describe, recordsOf, type Self, unreadyReason } from '../watchdog/self.ts';
import { bounds, evidenceMs } from '../watchdog/timing.ts';
import { tellSupervisor } from '../watchdog/supervision.ts';
import { runWatchdog, type WatchdogBells } from '../watchdog/watchdog.ts';

export const spec: CommandSpec<typeof watchdogOptions> = {
  name: 'watchdog',
  summary: 'Probe one apache, and hold its key in etcd on a short lease while it passes.',
  options: watchdogOptions,
};

export async function run(
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<number> {
  refuseNothingGiven(spec, argv, environment);
  const settings = watchdogSettings(parseCommandLine(spec, argv, environment));
  const access = await etcdAccess(settings);
  const { key, ttl: ttlMs, rules, byHand, recordPrefix } = settings;
  const { prefix } = splitKey(key);
  const clock = systemClock;
  const random = Math.random;
  const log = createLog(settings.logLevel, { component: 'watchdog', key });
  const notices = new Notices(log);
  const signal = shutdownSignal();

  const address = await addressOf(settings, clock, log, signal);
  const value = backendValue(settings, address);
  const target = probeTarget(settings, address);
  const recordKey = recordKeyOf(recordPrefix, key);
  const orderKey = drainOrderKey(recordPrefix, key);
  const instance = randomUUID();

  await using endpoints = new EtcdEndpoints(settings.etcd, clock, random, {
    access,
    onEvent: (event) => tellEtcdEvent(event, notices),
  });
  using leases = etcdLeases(endpoints, clock);
  let grantedMs = ttlMs;
  let status: WatchdogStatus | undefined;
  const metrics = watchdogMetrics(
    rules,
    ttlMs,
    () => registration.remainingMs,
    () => status,
  );
  const registration = new Registration(
    {
      ...{ key, recordKey, orderKey, value, instance, ttlMs, byHand },
      evidenceMs: evidenceMs(rules.timeoutMs),
    },
    leases,
    clock,
    {
      onLease: (what, leaseTtlMs) => {
        metrics.observer.onLease(what, leaseTtlMs);
        if (leaseTtlMs > 0 && leaseTtlMs !== grantedMs) {
          grantedMs = leaseTtlMs;
          const outlivesAtMostMs = bounds(rules, grantedMs);
          log.warn({ ttlMs, grantedMs, outlivesAtMostMs }, 'etcd grants another TTL than --ttl');
        }
      },
    },
  );
  const bells: WatchdogBells = { onIdleClose: () => {}, onKeyChange: () => {} };
  using prober = openProber(target, { clock, onIdleClose: () => bells.onIdleClose() });

  await using admin = settings.admin
    ? await startAdminServer(settings.admin, {
        metrics: metrics.registry,
        status: () => describe(self, bounds(rules, grantedMs), status),
        unready: () => unreadyReason(status),
      })
    : undefined;
  const self: Self = {
    ...{ instance, host: hostname(), pid: process.pid, version, admin: shown(admin) },
    ...{ key, recordKey, address, value },
    probe: target.kind === 'http' ? shownUrl(target.url) : `tcp://${target.host}:${target.port}`,
  };

  const notifier = systemdNotifier(environment, runCommand, log);
  const supervisor = tellSupervisor(notifier, settings.readyWhen, signal);

  warnOfUnknownVariables(environment, log);
  const { probe, admin: at } = self;
  const outlivesAtMostMs = bounds(rules, ttlMs);
  log.info({ version, instance, value, probe, ttlMs, admin: at, outlivesAtMostMs }, 'watching');
  const over = new AbortController();
  void follow(
    [{ key }, { key: orderKey }],
    { store: leases, clock, random, onChange: () => bells.onKeyChange() },
    over.signal,
  );
  await runWatchdog(
    {
      ...{ registration, rules, ttlMs, bells, clock, random, log },
      probe: (within) => prober.probe(within),
      record: recordsOf(self),
      ...{ backend: { key, address }, drain: settings.drain },
      onlooker: new Onlooker({
        ...{ store: leases, key, clock, random },
        acknowledgements: acknowledgementsBelow(recordPrefix, prefix),
      }),
      onLeaving: () => void warnOfOthers({ key, address }, leases, notices, over.signal),
      aliveEveryMs: notifier.everyMs,
      observer: {
        ...metrics.observer,
        onTurn: (latest) => {
          status = latest;
          supervisor.onTurn(latest);
        },
      },
    },
    signal,
  );
  over.abort();
  await supervisor.stopped;
  return 0;
}

async function addressOf(
  { address, etcd }: ReturnType<typeof watchdogSettings>,
  clock: Clock,
  log: Log,
  signal: AbortSignal,
): Promise<string> {
  if (address.kind === 'given') return address.address;
  const host = await ownAddressTowards(etcd, clock, signal);
  const own = `${host}:${address.port}`;
  log.info({ address: own }, "--address names no host: this host's own on the way to etcd");
  return own;
}

const shown = (admin: AdminServer | undefined) => (admin ? `${admin.host}:${admin.port}` : null);
