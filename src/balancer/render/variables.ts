/** What a template is given, by the names that it has there. Pure. */
import type { Backend } from '../../registry/backend.ts';
import type { Service } from '../../options/service.ts';
import { virtualHosts } from './virtual-hosts.ts';

export interface ServedService {
  readonly service: Service;
  readonly backends: readonly Backend[];
}

export interface RenderSettings {
  readonly listen: string;
  readonly confirmListen: string;
  readonly confirmPath: string;
  readonly pidFile: string;
  /** undefined: where nginx was built to. */
  readonly tempPath?: string | undefined;
  readonly errorLog: string;
  readonly accessLog: string;
  readonly workerShutdownTimeoutMs: number;
}

export type Variables = Readonly<Record<string, unknown>>;

/** @returns what is given to the template for these backends, beside the two identities. */
export function variablesOf(settings: RenderSettings, services: readonly Service[]) {
  const constant = {
    listen: settings.listen,
    confirm_listen: settings.confirmListen,
    confirm_path: settings.confirmPath,
    pid: settings.pidFile,
    temp_path: settings.tempPath ?? '',
    error_log: settings.errorLog,
    access_log: settings.accessLog,
    worker_shutdown_timeout_ms: settings.workerShutdownTimeoutMs,
  };
  const hosts = virtualHosts(services);
  return (served: readonly ServedService[]): Variables => {
    const byName = new Map(served.map((one) => [one.service.name, serviceVariables(one)]));
    const [first] = served;
    return {
      ...constant,
      backends: first?.backends ?? [],
      zone_kb: zoneKb(first?.backends.length ?? 0),
      services: [...byName.values()],
      virtual_hosts: hosts.map((host) => ({
        hosts: host.hosts,
        services: host.services.flatMap(({ name }) => byName.get(name) ?? []),
        has_root: host.services.some(({ path }) => path === '/'),
        has_paths: host.services.some(({ path }) => path !== '/'),
      })),
    };
  };
}

const serviceVariables = ({ service, backends }: ServedService): Variables => ({
  name: service.name,
  prefix: service.prefix,
  hosts: service.hosts,
  path: service.path,
  balance: service.balance,
  keepalive: service.keepalive,
  connect_timeout_ms: service.connectTimeoutMs,
  send_timeout_ms: service.sendTimeoutMs,
  read_timeout_ms: service.readTimeoutMs,
  backends,
  zone_kb: zoneKb(backends.length),
});

/** nginx's shared zone takes under 1 KB for a server (measured: 10,000 fit in 10 MB), and some for itself. */
const zoneKb = (servers: number) => 64 + servers;
