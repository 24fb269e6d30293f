/**
 * Three hosts by the units for hosts, with addresses of their own: a member of etcd on each (TLS,
 * certificates of clients, users that may do what the README grants), two apaches with their watchdogs on
 * each, nginx and a balancer on two. A client asks both nginxes all along. Whatever happens to a
 * member, to certificates and to tokens, no request fails; when a host is lost, none but those on it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keyOf, tokenTtlS } from '../../scripts/machines/host-files.ts';
import {
  bootThreeMachines,
  type Host,
  ports,
  settledWithinMs,
  type ThreeMachines,
} from '../../scripts/machines/three-machines.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { lookEveryMs } from '../../src/registry/etcd/rotation.ts';
import { measureStalls } from '../support/stalls.ts';
import { hostFiles } from '../systemd/host-units.ts';

const ttlMs = 5000;
/** etcd's default for an election is a second, and a vote may be split. */
const electedMs = 3000;
const certificatesEndMs = 25_000;

let world: ThreeMachines;
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  world = stack.use(
    await bootThreeMachines({
      ...(await hostFiles()),
      '/etc/nginx/nginx.conf': await readFile('/etc/nginx/nginx.conf', 'utf8'),
      '/etc/nginx/mime.types': await readFile('/etc/nginx/mime.types', 'utf8'),
      '/etc/mime.types': 'text/html html\n',
    }),
  );
}, 180_000);
afterAll(() => stack.disposeAsync());

interface Kept {
  readonly kvs?: readonly { readonly key: string; readonly create_revision: number }[];
}
/** Each key with the revision at which it was made: another one was gone meanwhile. */
async function kept(): Promise<Readonly<Record<string, number>>> {
  const text = await world.operator.etcdctl('etcdctl get --prefix /test/ --write-out=json');
  const { kvs = [] } = JSON.parse(text) as Kept;
  return Object.fromEntries(
    kvs.map(({ key, create_revision: made }) => [Buffer.from(key, 'base64').toString(), made]),
  );
}

const balancerOf = async ({ machine }: Host) => (await machine.units('rollcall-balancer'))[0] ?? {};
const served = () =>
  Promise.all(world.balancing.map(async (host) => (await balancerOf(host))['StatusText'] ?? ''));
const untilServed = (backends: number) =>
  waitUntil(
    { expected: `${backends} backends on both`, withinMs: settledWithinMs, everyMs: 200 },
    async () => {
      const said = await served();
      const words = new RegExp(`^nginx serves generation \\w+, ${backends} backends$`);
      return said.every((text) => words.test(text)) || said.join(' | ');
    },
  );
const failures = async () => (await world.operator.asked()).failures;
const isWell = ({ address }: Host) =>
  waitUntil({ expected: 'its etcd to be well', withinMs: settledWithinMs, everyMs: 300 }, () =>
    world.operator
      .etcdctl(`ETCDCTL_ENDPOINTS=https://${address}:2379 etcdctl endpoint health`)
      .then(() => true as const, String),
  );
const isUnwell = ({ address }: Host) =>
  waitUntil({ expected: 'its etcd to be unwell', withinMs: settledWithinMs, everyMs: 300 }, () =>
    world.operator
      .etcdctl(
        `ETCDCTL_ENDPOINTS=https://${address}:2379 etcdctl --command-timeout=2s endpoint health`,
      )
      .then(String, () => true as const),
  );

/** What stands once all six are served: the same as before where nothing has been disturbed. */
async function standing() {
  await untilServed(6);
  return { kept: await kept(), served: await served(), failures: await failures() };
}

const certificatesSeen = async (times: number) => {
  for (const { machine } of world.hosts) {
    for (const port of ports) {
      const of = `journalctl --no-pager --output=cat --unit rollcall-watchdog@${port}`;
      const withinMs = 2 * lookEveryMs + settledWithinMs;
      await waitUntil({ expected: 'the new ones', withinMs, everyMs: 500 }, async () => {
        const seen = (await machine.shell(of)).split('new certificates').length - 1;
        return seen >= times || `${machine.hostname}, ${port}: ${seen}`;
      });
    }
  }
};

test('what the README grants suffices for a whole life: start, drain, order, wait', async () => {
  const { operator, hosts } = world;
  const [host] = hosts;
  await untilServed(6);
  const key = keyOf(host.hostname, ports[0]);
  await host.machine.run('systemctl', 'stop', `apache@${ports[0]}`);
  expect(Object.keys(await kept())).not.toContain(key);
  const journal = `journalctl --no-pager --output=cat`;
  expect(await host.machine.shell(`${journal} --unit rollcall-watchdog@${ports[0]}`)).toContain(
    'every live balancer has confirmed',
  );
  await host.machine.run('systemctl', 'start', `apache@${ports[0]}`);

  const patient = ['--timeout', '45s', '--balancers', '2'];
  const commands = [
    ['wait', key, '--in-rotation'],
    ['drain', key, '--wait'],
    ['undrain', key, '--wait'],
    ['wait', key, '--in-rotation'],
  ];
  for (const command of commands) {
    expect(await operator.rollcall(...command, ...patient)).toMatchObject({ status: 0 });
  }
  // Nobody was ever told that it may not.
  for (const { machine } of hosts) {
    expect(await machine.shell(journal)).not.toMatch(/permission denied/);
  }
  expect(await failures()).toEqual([]);
}, 150_000);

test('the leader of etcd is killed: another leads, and nobody has lost a key', async () => {
  const before = await standing();
  expect(Object.keys(before.kept).toSorted()).toEqual(world.keys.toSorted());
  const leading = await world.leader();
  await leading.machine.run('systemctl', 'kill', '--signal=KILL', 'etcd');
  // A whole TTL under another leader, so that every lease was renewed by it.
  await sleep(electedMs + ttlMs);
  await isWell(leading);
  expect(await standing()).toEqual(before);
  expect(before.failures).toEqual([]);
}, 120_000);

test('a member is cut off from the others for longer than a TTL, and joined again', async () => {
  const before = await standing();
  const leading = await world.leader();
  // Beside a balancer, and two watchdogs whose own member it is.
  const cut = world.balancing.find((host) => host !== leading) ?? leading;
  await cut.machine.unplug(world.back);
  await isUnwell(cut);
  await sleep(2 * ttlMs);
  await cut.machine.plugIn(world.back);
  await isWell(cut);
  expect(await standing()).toEqual(before);
  expect(before.failures).toEqual([]);
}, 150_000);

test('certificates are renewed under way, twice, and those before have expired', async () => {
  const before = await standing();
  const endAtMs = Date.now() + certificatesEndMs;
  await world.renewCertificates(certificatesEndMs);
  await certificatesSeen(1);
  await world.renewCertificates();
  await certificatesSeen(2);
  await sleep(Math.max(0, endAtMs + 1000 - Date.now()));
  // Whoever had kept those that ended could not come back from this.
  for (const host of world.hosts) {
    await host.machine.run('systemctl', 'restart', 'etcd');
    await isWell(host);
  }
  await sleep(electedMs);
  expect(await standing()).toEqual(before);
  expect(before.failures).toEqual([]);
}, 240_000);

test('tokens have ended many times: everybody got new ones, and was not restarted', async () => {
  for (const host of world.balancing) {
    const { ActiveEnterTimestampMonotonic: sinceUs, NRestarts: restarts } = await balancerOf(host);
    const upS = Number(await host.machine.shell('cut -d" " -f1 /proc/uptime'));
    expect(upS - Number(sinceUs) / 1e6).toBeGreaterThan(5 * tokenTtlS);
    expect(restarts).toBe('0');
  }
  expect(await failures()).toEqual([]);
});

test('a host is lost: only what was on it may fail, until its keys are gone', async () => {
  await untilServed(6);
  const lost = world.hosts[2];
  using stalls = measureStalls();
  const lostAtMs = Date.now();
  await lost.machine.cutPower();
  await untilServed(4);
  const goneAtMs = Date.now();
  // Where it led etcd, the next leader begins every lease anew. Two lost of six are less than half,
  // and believed; nginx is told, and asked.
  expect(goneAtMs - lostAtMs).toBeLessThan(2 * ttlMs + electedMs + 3000 + stalls.totalMs);
  expect(Object.keys(await kept())).toHaveLength(4);

  for (const failure of await failures()) {
    expect(failure.tried).toContain(`${lost.address}:`);
    expect(failure.method).toBe('POST');
    expect(failure.begunAtMs).toBeLessThan(goneAtMs);
  }
  const { begun } = await world.operator.asked();
  expect(begun).toBeGreaterThan(1000);
}, 120_000);
