/** `rollcall balancer`: settings to parts, parts to the loop. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { type AdminServer, startAdminServer } from '../admin/server.ts';
import { acknowledging } from '../balancer/acknowledging.ts';
import { runBalancer, type Turn } from '../balancer/balancer.ts';
import { dryRun } from '../balancer/dry-run.ts';
import { lookAt } from '../balancer/look.ts';
import { WorkersWitness } from '../balancer/nginx/by-workers.ts';
import { configFile } from '../balancer/nginx/config-file.ts';
import { errorLogAt } from '../balancer/nginx/error-log.ts';
import { nginxControl } from '../balancer/nginx/nginx.ts';
import { lossWindowMs } from '../balancer/pool/absence.ts';
import { poolKeeper, rememberedPools } from '../balancer/keeper.ts';
import { refuseUnusable } from '../balancer/preflight.ts';
import { byReload } from '../balancer/rollout/by-reload.ts';
import { nothingSaid } from '../balancer/said.ts';
import { becomeSoleWriter } from '../balancer/sole-writer.ts';
import { balancerMetrics } from '../balancer/telling/metrics.ts';
import { reporter } from '../balancer/telling/report.ts';
import { balancerStatus, unreadyReason } from '../balancer/telling/status.ts';
import { tellSupervisor } from '../balancer/telling/supervision.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { httpGet } from '../lib/http-get.ts';
import { createLog, Notices } from '../lib/log.ts';
import { runCommand } from '../lib/run-command.ts';
import { shutdownSignal } from '../lib/shutdown.ts';
import { systemdNotifier } from '../lib/systemd-notify.ts';
import { version } from '../lib/version.ts';
import { balancerOptions, balancerSettings } from '../options/balancer-options.ts';
import { type CommandSpec, parseCommandLine } from '../options/command-line.ts';
import { warnOfUnknownVariables } from '../options/environment.ts';
import { etcdAccess } from '../options/etcd-options.ts';
import { refuseNothingGiven } from '../options/nothing-given.ts';
import { EtcdEndpoints } from '../registry/etcd/endpoints.ts';
import { tellEtcdEvent } from '../registry/etcd/events.ts';
import { etcdKeys } from '../registry/etcd/keys.ts';
import { etcdLeases } from '../registry/etcd/leases.ts';
import { rendererOf } from './renderer.ts';

export const spec: CommandSpec<typeof balancerOptions> = {
  name: 'balancer',
  summary: 'Keep nginx serving the backends that etcd lists, and prove that it does.',
  options: balancerOptions,
};

export async function run(
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<number> {
  refuseNothingGiven(spec, argv, environment);
  const settings = balancerSettings(parseCommandLine(spec, argv, environment));
  const { services, nginxConf, recordPrefix, once } = settings;
  const { render, tellsGeneration } = rendererOf(settings);
  await refuseUnusable(settings);
  const access = await etcdAccess(settings);

  const clock = systemClock;
  const random = Math.random;
  const log = createLog(settings.logLevel, { component: 'balancer' });
  const notices = new Notices(log);
  const signal = shutdownSignal();
  await using endpoints = new EtcdEndpoints(settings.etcd, clock, random, {
    access,
    onEvent: (event) => tellEtcdEvent(event, notices),
  });
  const store = etcdKeys(endpoints, clock);
  const file = configFile(nginxConf);
  if (settings.dryRun) return await dryRun({ services, nginxConf, store, file, render }, signal);

  await using writer = await becomeSoleWriter(nginxConf);
  using leases = etcdLeases(endpoints, clock);
  const metrics = balancerMetrics(clock);
  const report = reporter(log, metrics, clock);
  const statePath = settings.state ?? besideConf(nginxConf, 'rollcall-state');
  const remembered = await rememberedPools(statePath, services, notices);
  const keeper = poolKeeper(statePath, remembered, clock, notices);
  const instance = randomUUID();
  const acknowledger = acknowledging({
    ...{ services, recordPrefix, clock, random, notices, store: leases, ttlMs: settings.ttl },
    speaker: () => ({
      ...{ instance, host: hostname(), pid: process.pid, version, admin: shown(admin) },
    }),
    onEvent: ({ kind }) => metrics.acknowledgements.inc({ result: kind }),
  });

  let turn: Turn | undefined;
  let said = nothingSaid;
  await using admin = settings.admin
    ? await startAdminServer(settings.admin, {
        metrics: metrics.registry,
        status: () => balancerStatus(turn, said, clock.now()),
        unready: () => unreadyReason(turn),
      })
    : undefined;
  warnOfUnknownVariables(environment, log);
  const prefixes = Object.fromEntries(services.map(({ name, prefix }) => [name, prefix]));
  log.info({ version, instance, nginxConf, prefixes, admin: shown(admin) }, 'balancing');
  if (writer.unguarded !== undefined) log.warn(writer.unguarded);
  if (!tellsGeneration) {
    log.warn(
      "the template has no {% include 'confirm' %}: what nginx serves is told from its workers alone",
    );
  }

  const supervisor = tellSupervisor(systemdNotifier(environment, runCommand, log), signal);
  const nginx = nginxControl(settings, clock);
  const witness = tellsGeneration ? undefined : new WorkersWitness();
  const onCheck = (tookMs: number) => metrics.checking.observe(tookMs / 1000);
  const errorLog = errorLogAt(settings.errorLog);
  const reload = byReload({ file, nginx, errorLog, clock, witness, onCheck });
  const acknowledged = once ? undefined : acknowledger.run(signal);
  const outcome = await runBalancer(
    {
      ...{ services, remembered, store, recordPrefix, clock, random },
      render: timed(render, clock, (tookMs) => metrics.rendering.observe(tookMs / 1000)),
      look: lookAt(file, nginx, witness),
      // One way for both, for now.
      ways: { configuration: reload, membership: reload },
      ask: (address, within) => answersDirectly(address, clock, within),
      absence: { windowMs: lossWindowMs, holdMs: settings.hold, share: settings.holdAbove },
      pacing: {
        settleMs: settings.settle,
        settleMaxMs: settings.settleMax,
        maxGenerations: settings.maxGenerations,
      },
      onTurn: (latest) => {
        turn = latest;
        said = acknowledger.onTurn(latest);
        keeper.onTurn(latest);
        report(latest, said);
        supervisor.onTurn(latest);
      },
    },
    settings,
    signal,
  );
  await acknowledged;
  await keeper.written();
  if (!once) {
    await supervisor.stopped;
    return 0;
  }
  if (!outcome.ok) process.stderr.write(`rollcall: ${outcome.reason}\n`);
  return outcome.ok ? 0 : 1;
}

const besideConf = (nginxConf: string, what: string) =>
  join(dirname(nginxConf), `.${basename(nginxConf)}.${what}`);

const shown = (admin: AdminServer | undefined) => (admin ? `${admin.host}:${admin.port}` : null);

function timed<A, R>(work: (given: A) => R, clock: Clock, told: (tookMs: number) => void) {
  return (given: A): R => {
    const beganAtMs = clock.now();
    try {
      return work(given);
    } finally {
      told(clock.now() - beganAtMs);
    }
  };
}

/** How long a held backend may take to show that it is there. */
const askTimeoutMs = 1000;

async function answersDirectly(
  address: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const get = { url: `http://${address}/`, timeoutMs: askTimeoutMs, clock, readBytes: 1024 };
    return (await httpGet(get, signal)).status < 500;
  } catch {
    return false;
  }
}
