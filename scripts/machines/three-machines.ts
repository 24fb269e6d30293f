/**
 * Three hosts with addresses of their own, as an operator would set them up by the units: on each a
 * member of etcd (TLS, certificates of clients, users, tokens that end) and two apaches with their
 * watchdogs, on the first two nginx with its balancer. The members reach each other by a network of
 * their own. The users may do what the README grants, and nothing else.
 */
import { generateKeyPairSync } from 'node:crypto';
import { waitUntil } from '../parts/wait-until.ts';
import { type Authority, makeAuthority } from './certificates.ts';
import {
  certificateFiles,
  hostFilesOf,
  keyOf,
  type Member,
  putSecrets,
  type Secrets,
  settleUsers,
  watchdogEnv,
} from './host-files.ts';
import { bootMachine, type Machine } from './machine.ts';
import { makeNetwork, type Network } from './network.ts';
import { bootOperator, type Operator, rootPassword } from './operator.ts';
import { readmeRoles } from './roles.ts';

export const ports = [8001, 8002] as const;
/** Six starts of node, a login each (etcd takes its time to hash), leases, two reloads: on a busy machine. */
export const settledWithinMs = 60_000;
const electedWithinMs = 60_000;

export interface Host extends Member {
  readonly machine: Machine;
}

export interface ThreeMachines extends AsyncDisposable {
  readonly authority: Authority;
  readonly members: readonly Member[];
  readonly hosts: readonly [Host, Host, Host];
  /** Those with nginx and a balancer. */
  readonly balancing: readonly [Host, Host];
  readonly operator: Operator;
  /** Between the members of etcd alone. */
  readonly back: Network;
  readonly keys: readonly string[];
  /** New certificates for all, that end so soon. */
  renewCertificates(validForMs?: number): Promise<void>;
  leader(): Promise<Host>;
  /** Every watchdog of these hosts says that both balancers have confirmed its backend. */
  readonly untilInRotation: (...hosts: readonly Host[]) => Promise<void>;
}

/** @param shipped the units and what goes with them, alike on all hosts. */
export async function bootThreeMachines(
  shipped: Readonly<Record<string, string>>,
): Promise<ThreeMachines> {
  await using stack = new AsyncDisposableStack();
  const [front, back] = [stack.use(await makeNetwork()), stack.use(await makeNetwork())];
  const authority = stack.use(await makeAuthority());
  const secrets: Secrets = {
    ca: authority.cert,
    passwords: { watchdog: 'of-the-watchdogs', balancer: 'of-the-balancers' },
    token: generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    }),
  };
  const members = ['web-a', 'web-b', 'web-c'].map((hostname, at) => ({
    ...{ hostname, address: front.address(11 + at), peerAddress: back.address(11 + at) },
  }));
  const certificatesOf = async (
    { hostname, address, peerAddress }: Member,
    validForMs?: number,
  ) => {
    const end = validForMs === undefined ? {} : { validForMs };
    const addresses = [address, peerAddress];
    return certificateFiles(
      await authority.issue({ name: `etcd ${hostname}`, addresses, ...end }),
      await authority.issue({ name: `client ${hostname}`, ...end }),
    );
  };
  const boot = async (own: Member): Promise<Host> => {
    const machine = await bootMachine({
      hostname: own.hostname,
      plugs: [
        { network: front, address: own.address },
        { network: back, address: own.peerAddress },
      ],
      files: {
        ...shipped,
        ...hostFilesOf(own, members, secrets),
        ...(await certificatesOf(own)),
        ...watchdogEnv(own, members, ports[0]),
        ...watchdogEnv(own, members, ports[1]),
      },
    });
    stack.use(machine);
    await machine.shell(settleUsers);
    return { ...own, machine };
  };
  const client = await authority.issue({ name: 'client operator' });
  const operator = stack.use(
    await bootOperator({ network: front, address: front.address(10) }, members, {
      ...{ ca: secrets.ca, client, password: secrets.passwords.watchdog },
    }),
  );
  const [a, b, c] = await bootEach(members, boot);
  if (!a || !b || !c) throw new Error('not three');
  const hosts = [a, b, c] as const;
  const balancing = [a, b] as const;
  await Promise.all(hosts.map(({ machine }) => machine.run('systemctl', 'start', 'etcd')));
  await enableUsers(operator, secrets);
  const owned = stack.move();

  const world: ThreeMachines = {
    ...{ authority, members, hosts, balancing, operator, back },
    keys: hosts.flatMap(({ hostname }) => ports.map((port) => keyOf(hostname, port))),
    renewCertificates: async (validForMs) => {
      for (const host of hosts) {
        await host.machine.run(...putSecrets(await certificatesOf(host, validForMs)));
      }
    },
    leader: async () => {
      let found: Host | undefined;
      await waitUntil({ expected: 'a leader', withinMs: electedWithinMs }, async () => {
        const text = await operator
          .etcdctl('etcdctl endpoint status --write-out=simple || true')
          .catch(String);
        const [, address] = /https:\/\/([\d.]+):2379, [^,]+, [^,]+, [^,]+, true/.exec(text) ?? [];
        found = hosts.find((host) => host.address === address);
        return found !== undefined || text;
      });
      if (!found) throw new Error('no leader');
      return found;
    },
    untilInRotation: async (...of) => {
      await Promise.all(of.map(({ machine }) => untilInRotation(machine)));
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
  await startServices(world);
  return world;
}

/** All at once; where one fails the others are known to the stack all the same. */
async function bootEach<Of, Made>(of: readonly Of[], boot: (one: Of) => Promise<Made>) {
  const booted = await Promise.allSettled(of.map(boot));
  return booted.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
}

async function enableUsers({ etcdctl, logIn }: Operator, { passwords }: Secrets): Promise<void> {
  await waitUntil({ expected: 'etcd to answer', withinMs: electedWithinMs }, () =>
    etcdctl('etcdctl get /').then(() => true as const, String),
  );
  await etcdctl(
    ...[`etcdctl user add root:${rootPassword}`, 'etcdctl user grant-role root root'],
    ...Object.entries(passwords).map(([name, secret]) => `etcdctl user add ${name}:${secret}`),
    ...(await readmeRoles()).lines,
    'etcdctl auth enable',
  );
  logIn();
}

/** With nothing in between: whatever is there too early waits. The client asks once all serve. */
async function startServices({
  hosts,
  balancing,
  operator,
  untilInRotation: until,
}: ThreeMachines) {
  const apaches = ports.map((port) => `apache@${port}`);
  for (const { machine } of hosts) {
    const more = balancing.some((one) => one.machine === machine)
      ? ['rollcall-balancer', 'nginx']
      : [];
    await machine.run('systemctl', 'start', ...more, ...apaches);
  }
  await until(...hosts);
  const urls = balancing.map(({ address }) => `http://${address}/`).join(' ');
  await operator.machine.shell(`echo 'URLS=${urls}' >/run/client.env && systemctl start client`);
}

const untilInRotation = (machine: Machine) =>
  waitUntil(
    { expected: `${machine.hostname} in rotation`, withinMs: settledWithinMs, everyMs: 300 },
    async () => {
      const watchdogs = ports.map((port) => `rollcall-watchdog@${port}`);
      const texts = (await machine.units(...watchdogs)).map((unit) => unit['StatusText'] ?? '');
      return texts.every((text) => text.includes('in rotation')) || texts.join(' | ');
    },
  );
