/**
 * The roles of the README, grant by grant: with all of them nothing is missing, and with any one of them
 * less, or reading where it says writing, somebody is kept from something, and says from what.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readmeRoles } from '../../scripts/machines/roles.ts';
import { type Apache, startApache } from '../../scripts/parts/apache.ts';
import { httpGet } from '../../scripts/parts/http-get.ts';
import { startBalancer, startWatchdog } from '../../scripts/parts/rollcall.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { makeNginxSite } from '../support/nginx-site.ts';
import {
  flagsOfUser,
  type Permission,
  type SecuredEtcd,
  startSecuredEtcd,
} from '../support/secured-etcd.ts';

const withinMs = 20_000;

interface Grant {
  readonly access: 'read' | 'readwrite';
  readonly prefix: string;
}
const { commands } = await readmeRoles();
const grantsOf = (role: string) =>
  commands.flatMap((command) => (command.role === role && command.grant ? [command.grant] : []));

/** Each with what is left of the role, and the place where something is missing. */
const lesser = ['watchdog', 'balancer'].flatMap((role) =>
  grantsOf(role).flatMap((taken, at) => {
    const others = grantsOf(role).filter((grant) => grant !== taken);
    const without = { role, at: taken.prefix, grants: others, what: `without ${taken.prefix}` };
    const reading: Grant = { ...taken, access: 'read' };
    const onlyReading = {
      ...{ role, at: taken.prefix, grants: others.toSpliced(at, 0, reading) },
      what: `only reading ${taken.prefix}`,
    };
    return taken.access === 'readwrite' ? [without, onlyReading] : [without];
  }),
);

let secured: SecuredEtcd;
let apache: Apache;
const stack = new AsyncDisposableStack();
beforeAll(async () => {
  secured = stack.use(await startSecuredEtcd());
  apache = stack.use(await startApache());
});
afterAll(() => stack.disposeAsync());

let cases = 0;
/** A user of its own with these grants. */
async function asUser(grants: readonly Grant[]) {
  const name = `case-${(cases += 1)}`;
  const permissions = grants.map(({ access, prefix }): Permission => {
    return [access === 'read' ? 'Read' : 'Readwrite', prefix];
  });
  return { name, flags: await flagsOfUser(secured, name, permissions) };
}

/** One of the two with that user, and all that it says of itself. */
async function saying(role: string, flags: Readonly<Record<string, string>>) {
  await using owned = new AsyncDisposableStack();
  const site = owned.use(await makeNginxSite(secured.etcd.url, '/test'));
  const process =
    role === 'balancer'
      ? owned.use(await startBalancer({ ...site.flags, ...flags }))
      : owned.use(
          await startWatchdog({
            ...flags,
            ...{ key: `/test/${apache.name}-${cases}`, address: apache.address },
            'drain-timeout': '0s',
          }),
        );
  const ready = async () => await httpGet(`${process.adminUrl}/-/ready`, 1000);
  const moved = owned.move();
  return {
    said: async () => JSON.stringify([process.log, await process.status(), (await ready()).body]),
    ready,
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

test('the README grants something to both', () => {
  expect(grantsOf('watchdog').length).toBeGreaterThan(1);
  expect(grantsOf('balancer').length).toBeGreaterThan(1);
});

test.each(lesser)('a $role $what is kept from it, and says so', async ({ role, at, grants }) => {
  const { name, flags } = await asUser(grants);
  await using one = await saying(role, flags);
  const denied = new RegExp(`permission denied: user ${name} needs to [^"]*${at}`);
  await waitUntil({ expected: 'what it would need', withinMs, everyMs: 100 }, async () => {
    const said = await one.said();
    return denied.test(said) || said.slice(-1500);
  });
  expect(await one.said()).toMatch(denied);
});

test.each(['watchdog', 'balancer'])('a %s with all of them is kept from nothing', async (role) => {
  const { flags } = await asUser(grantsOf(role));
  await using one = await saying(role, flags);
  await waitUntil({ expected: 'it to have done what it needs etcd for', withinMs }, async () => {
    if (role === 'watchdog') return (await one.ready()).status === 200 || (await one.said());
    const said = await secured.admin
      .getAll()
      .prefix('/rollcall/balancers/test/')
      .keys()
      .then((found) => found.length);
    return said > 0 || (await one.said());
  });
  expect(await one.said()).not.toContain('permission denied');
});
