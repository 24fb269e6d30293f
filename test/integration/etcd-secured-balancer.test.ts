/**
 * What a balancer needs to be allowed in an etcd with users: with less than all of it the pool is
 * served all the same, and each thing that is missing is told once.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Apache, startApache } from '../../scripts/parts/apache.ts';
import { httpGet } from '../../scripts/parts/http-get.ts';
import { startBalancer } from '../../scripts/parts/rollcall.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { parseAcknowledgement } from '../../src/registry/acknowledgement.ts';
import { makeNginxSite, untilConfirmed } from '../support/nginx-site.ts';
import {
  flagsOfUser,
  type Permission,
  type SecuredEtcd,
  startSecuredEtcd,
} from '../support/secured-etcd.ts';

const prefix = '/prod/web';

/** As in the README. */
const needed = [
  ['Read', `${prefix}/`],
  ['Read', `/rollcall/watchdogs${prefix}/`],
  ['Readwrite', `/rollcall/balancers${prefix}/`],
] as const;

let secured: SecuredEtcd;
let apache: Apache;
const stack = new AsyncDisposableStack();
beforeAll(async () => {
  secured = stack.use(await startSecuredEtcd());
  apache = stack.use(await startApache());
  await secured.admin.put(`${prefix}/${apache.name}`).value(apache.address);
});
afterAll(() => stack.disposeAsync());

/** A balancer of that user, whose nginx serves the one backend that there is. */
async function serving(name: string, permissions: readonly Permission[]) {
  await using owned = new AsyncDisposableStack();
  const site = owned.use(await makeNginxSite(secured.etcd.url, prefix));
  const flags = await flagsOfUser(secured, name, permissions);
  const balancer = owned.use(await startBalancer({ ...site.flags, ...flags }));
  await site.startNginx();
  await untilConfirmed(balancer, 'one in the pool', ({ backends }) => backends.length === 1);
  expect((await httpGet(site.url, 1000)).body).toContain(apache.name);
  const moved = owned.move();
  return {
    balancer,
    /** That nginx was not there yet is another matter. */
    warnings: () =>
      balancer.log
        .filter(({ level, msg }) => !['info', 'debug'].includes(level) && !msg.includes('nginx'))
        .map(({ msg, reason }) => `${msg} ${String(reason)}`),
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

test('it may only read its keys: it serves, and says once each what else it would need', async () => {
  await using world = await serving('reader', needed.slice(0, 1));
  const { balancer, warnings } = world;
  await waitUntil({ expected: 'many a try', withinMs: 15_000 }, async () => {
    const { body } = await httpGet(`${balancer.adminUrl}/metrics`, 1000);
    const [, tries] = /acknowledgements_total\{result="failed"\} (\d+)/.exec(body) ?? [];
    return Number(tries) >= 4 || `${tries}`;
  });
  const denied = 'permission denied: user reader needs to';
  expect(warnings().toSorted()).toEqual([
    expect.stringMatching(
      new RegExp(
        `^the watchdogs' records cannot be read: .*${denied} read /rollcall/watchdogs${prefix}/$`,
      ),
    ),
    expect.stringMatching(
      new RegExp(
        `^what is confirmed could not be acknowledged .*${denied} read and write /rollcall/balancers${prefix}/[0-9a-f-]{36}$`,
      ),
    ),
  ]);
  const { confirmed, services, etcd } = await balancer.status();
  expect([confirmed, etcd.connected, services[0]?.records.connected]).toEqual([true, true, false]);
});

test('it may do what the README says: nothing is missing', async () => {
  await using world = await serving('balancer', needed);
  const { balancer, warnings } = world;
  const { services } = await balancer.status();
  const wanted = services[0]?.revision.wanted ?? 0;
  await waitUntil({ expected: 'the acknowledgement', withinMs: 5000 }, async () => {
    const found = await secured.admin.getAll().prefix(`/rollcall/balancers${prefix}/`).strings();
    const said = Object.values(found).map((value) => parseAcknowledgement(value));
    return said.some((one) => one.ok && one.value.revision === wanted) || JSON.stringify(said);
  });
  await waitUntil({ expected: 'the records', withinMs: 5000 }, async () => {
    const { records } = (await balancer.status()).services[0] ?? {};
    return records?.connected || String(records?.trouble);
  });
  expect(wanted).toBeGreaterThan(0);
  expect(warnings()).toEqual([]);
});
