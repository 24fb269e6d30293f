/** A pool that is served: keys of its own, a balancer on them, and an nginx on what it wrote. */
import { inject } from 'vitest';
import { httpGet } from '../../scripts/parts/http-get.ts';
import { startBalancer, type Flags, type Rollcall } from '../../scripts/parts/rollcall.ts';
import type { Program } from '../../scripts/parts/program.ts';
import type { BalancerStatus } from '../../scripts/parts/status.ts';
import { type Keys, openKeys } from './keys.ts';
import { makeNginxSite, type NginxSite, untilConfirmed } from './nginx-site.ts';

export interface ServedSite extends AsyncDisposable {
  readonly keys: Keys;
  /** For acknowledgements and records of this test alone. */
  readonly recordPrefix: string;
  readonly site: NginxSite;
  readonly balancer: Rollcall<BalancerStatus>;
  readonly nginx: Program;
  /** Of the metrics, by its name and labels as they stand in the text. */
  readonly metric: (name: string) => Promise<number>;
}

export interface ServedPlan {
  readonly etcdUrl?: string;
  /** Name to address. */
  readonly backends?: Readonly<Record<string, string>>;
  readonly flags?: Flags | ((site: NginxSite, keys: Keys) => Flags | Promise<Flags>);
  /** Called before nginx runs. */
  readonly beforeNginx?: (part: Pick<ServedSite, 'keys' | 'recordPrefix'>) => Promise<unknown>;
}

export async function startServedSite(plan: ServedPlan = {}): Promise<ServedSite> {
  const { etcdUrl = inject('etcdUrl'), backends = {}, flags = {}, beforeNginx } = plan;
  await using stack = new AsyncDisposableStack();
  const keys = stack.use(await openKeys(etcdUrl));
  const recordPrefix = `/records${keys.prefix}`;
  for (const [name, address] of Object.entries(backends)) await keys.put(name, address);
  const site = stack.use(await makeNginxSite(etcdUrl, keys.prefix));
  const more = typeof flags === 'function' ? await flags(site, keys) : flags;
  // Several services stand in place of the one prefix.
  const { prefix, ...others } = site.flags;
  const balancer = stack.use(
    await startBalancer({
      ...others,
      ...(more['service'] === undefined && { prefix: prefix ?? '' }),
      'record-prefix': recordPrefix,
      ...more,
    }),
  );
  await beforeNginx?.({ keys, recordPrefix });
  const nginx = await site.startNginx();
  const owned = stack.move();
  try {
    await untilConfirmed(balancer, 'a first generation', () => true);
  } catch (error) {
    await owned.disposeAsync();
    throw error;
  }
  return {
    ...{ keys, recordPrefix, site, balancer, nginx },
    metric: (name) => metricOf(balancer.adminUrl, name),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function metricOf(adminUrl: string, name: string): Promise<number> {
  const { body } = await httpGet(`${adminUrl}/metrics`, 1000);
  const line = body.split('\n').find((one) => one.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1) ?? Number.NaN);
}
