/** What a change waits for, and when a removal has come, as seen from outside of the balancer. */
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import type { ServedSite } from './served-site.ts';

const withinMs = 5000;

/**
 * An apply, and the end of one under way, on this machine as busy as it is: nginx's check is a small
 * part of both, and the balancer measures it.
 */
export async function applyMs({ metric }: ServedSite): Promise<number> {
  const name = 'rollcall_check_duration_seconds';
  const meanMs = (1000 * (await metric(`${name}_sum`))) / (await metric(`${name}_count`));
  return 10 * meanMs;
}

export const untilWaiting = ({ balancer }: ServedSite, what: string | null) =>
  waitUntil({ expected: `waiting: ${what}`, withinMs }, async () => {
    const { waiting } = await balancer.status();
    return waiting === what || String(waiting);
  });

/** Not in the file any more, looked at closely. */
export const untilGone = ({ site }: ServedSite, address: string) =>
  waitUntil({ expected: `no ${address} in the file`, withinMs, everyMs: 2 }, async () => {
    const addresses = (await site.upstream()).map((line) => /^server ([^ ;]+)/.exec(line)?.[1]);
    return !addresses.includes(address) || 'there';
  });
