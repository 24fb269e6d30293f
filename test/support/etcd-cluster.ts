/** Three etcd members of one cluster: two of them are a quorum. */
import { Etcd3 } from 'etcd3';
import { type Etcd, startEtcd } from '../../scripts/parts/etcd.ts';
import { freePort } from '../../scripts/parts/ports.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';

const names = ['one', 'two', 'three'] as const;
const electedWithinMs = 10_000;

export interface EtcdCluster extends AsyncDisposable {
  readonly members: readonly Etcd[];
  /** Waits until one of the members that run leads; the others come after it. */
  leaderFirst(): Promise<readonly [leader: Etcd, ...others: Etcd[]]>;
}

export async function startEtcdCluster(): Promise<EtcdCluster> {
  await using stack = new AsyncDisposableStack();
  const peers = await Promise.all(
    names.map(async (name) => ({ name, peerPort: await freePort() })),
  );
  const cluster = peers.map(({ name, peerPort }) => `${name}=http://127.0.0.1:${peerPort}`).join();
  // All at once: none is healthy before there are two.
  const started = await Promise.allSettled(
    peers.map(async ({ name, peerPort }) =>
      stack.use(
        await startEtcd({ peerPort, args: ['--name', name, '--initial-cluster', cluster] }),
      ),
    ),
  );
  const members = started.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
  const owned = stack.move();
  return {
    members,
    leaderFirst: async () => {
      let leader: Etcd | undefined;
      await waitUntil({ expected: 'a leader', withinMs: electedWithinMs }, async () => {
        const leading = await Promise.all(members.map(leads));
        leader = members[leading.indexOf(true)];
        return leader !== undefined || 'none';
      });
      if (!leader) throw new Error('no leader');
      return [leader, ...members.filter((member) => member !== leader)];
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function leads({ url, pid }: Etcd): Promise<boolean> {
  if (pid === undefined) return false;
  const client = new Etcd3({
    hosts: url,
    defaultCallOptions: () => ({ deadline: Date.now() + 1000 }),
  });
  try {
    const { header, leader } = await client.maintenance.status();
    return header.member_id === leader;
  } catch {
    return false;
  } finally {
    client.close();
  }
}
