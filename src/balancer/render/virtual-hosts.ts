/**
 * Which server of nginx answers for which hosts, and with which services. Pure. Every host that a
 * service names is in exactly one server, since nginx would ignore it in a second one; a host that
 * several services name gets all of their locations. The first server answers all other hosts.
 */
import type { Service } from '../../options/service.ts';

export interface VirtualHost {
  /** None: every host that no other server names. */
  readonly hosts: readonly string[];
  /** None: there is no such page. */
  readonly services: readonly Service[];
}

export function virtualHosts(services: readonly Service[]): readonly VirtualHost[] {
  const byHost = new Map<string, Service[]>();
  for (const service of services) {
    for (const host of service.hosts) {
      const there = byHost.get(host);
      if (there) there.push(service);
      else byHost.set(host, [service]);
    }
  }
  const byServices = new Map<string, { hosts: string[]; services: readonly Service[] }>();
  for (const [host, those] of byHost) {
    const names = those.map(({ name }) => name).join(' ');
    const there = byServices.get(names);
    if (there) there.hosts.push(host);
    else byServices.set(names, { hosts: [host], services: those });
  }
  const everyHost = services.filter(({ hosts }) => hosts.length === 0);
  return [{ hosts: [], services: everyHost }, ...byServices.values()];
}
