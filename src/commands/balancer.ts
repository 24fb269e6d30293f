/** `rollcall balancer`: settings to parts, parts to the loop. */
import { type AdminServer, startAdminServer } from '../admin/server.ts';
import { runBalancer, type Turn } from '../balancer/balancer.ts';
import { configFile } from '../balancer/nginx/config-file.ts';
import { dryRun } from '../balancer/dry-run.ts';
import { balancerMetrics } from '../balancer/metrics.ts';
import { nginxControl } from '../balancer/nginx/nginx.ts';
import { refuseUnusable } from '../balancer/preflight.ts';
import { createRenderer, type Renderer } from '../balancer/render/render.ts';
import { reporter } from '../balancer/report.ts';
import { balancerStatus, unreadyReason } from '../balancer/status.ts';
import { readTemplates } from '../balancer/render/templates.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { messageOf, UsageError } from '../lib/errors.ts';
import { httpGet } from '../lib/http-get.ts';
import { createLog, Notices } from '../lib/log.ts';
import { shutdownSignal } from '../lib/shutdown.ts';
import { version } from '../lib/version.ts';
import {
  balancerOptions,
  type BalancerSettings,
  balancerSettings,
} from '../options/balancer-options.ts';
import { type CommandSpec, parseCommandLine } from '../options/command-line.ts';
import { warnOfUnknownVariables } from '../options/environment.ts';
import { etcdAccess } from '../options/etcd-options.ts';
import { EtcdEndpoints } from '../registry/etcd/endpoints.ts';
import { tellEtcdEvent } from '../registry/etcd/events.ts';
import { etcdKeys } from '../registry/etcd/keys.ts';

export const spec: CommandSpec<typeof balancerOptions> = {
  name: 'balancer',
  summary: 'Keep nginx serving the backends that etcd lists, and prove that it does.',
  options: balancerOptions,
};

export async function run(
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<number> {
  const settings = balancerSettings(parseCommandLine(spec, argv, environment));
  const render = rendererOf(settings);
  await refuseUnusable(settings);
  const access = await etcdAccess(settings);

  const clock = systemClock;
  const random = Math.random;
  const log = createLog(settings.logLevel, { component: 'balancer', prefix: settings.prefix });
  const signal = shutdownSignal();
  const notices = new Notices(log);
  await using endpoints = new EtcdEndpoints(settings.etcd, clock, random, {
    access,
    onEvent: (event) => tellEtcdEvent(event, notices),
  });
  const store = etcdKeys(endpoints, clock);
  const file = configFile(settings.nginxConf);
  if (settings.dryRun) return await dryRun(settings, store, file, render, signal);

  const metrics = balancerMetrics(clock);
  const report = reporter(log, metrics, clock);
  let turn: Turn | undefined;
  await using admin = settings.admin
    ? await startAdminServer(settings.admin, {
        metrics: metrics.registry,
        status: () => balancerStatus(turn, clock.now()),
        unready: () => unreadyReason(turn),
      })
    : undefined;
  warnOfUnknownVariables(environment, log);
  log.info({ version, nginxConf: settings.nginxConf, admin: shown(admin) }, 'balancing');

  const outcome = await runBalancer(
    {
      prefix: settings.prefix,
      store,
      render,
      file,
      nginx: nginxControl(settings, clock),
      ask: (address, within) => answersDirectly(address, clock, within),
      clock,
      random,
      onTurn: (latest) => {
        turn = latest;
        report(latest);
      },
    },
    settings,
    signal,
  );
  if (!settings.once) return 0;
  if (!outcome.ok) process.stderr.write(`rollcall: ${outcome.reason}\n`);
  return outcome.ok ? 0 : 1;
}

const shown = (admin: AdminServer | undefined) => admin && `${admin.host}:${admin.port}`;

/** @throws UsageError when the template cannot be read, parsed or rendered. */
function rendererOf(settings: BalancerSettings): Renderer {
  const {
    template: path,
    listen,
    confirmListen,
    confirmUrl,
    nginxPid,
    errorLog,
    accessLog,
  } = settings;
  const confirmPath = new URL(confirmUrl).pathname;
  const render = { listen, confirmListen, confirmPath, pidFile: nginxPid, errorLog, accessLog };
  try {
    return createRenderer(render, readTemplates(path));
  } catch (error) {
    throw new UsageError(
      `--template ${path ?? '(built-in)'}: ${messageOf(error)}: give a readable Liquid template`,
    );
  }
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
