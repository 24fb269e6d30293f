/** The balancer's loop on a virtual clock, between an etcd in memory and an nginx of a few lines. */
import { runBalancer, type Turn } from '../../src/balancer/balancer.ts';
import type { Remembered } from '../../src/balancer/pool/census.ts';
import type { ServedService } from '../../src/balancer/render/render.ts';
import type { Delivery } from '../../src/balancer/rollout/delivery.ts';
import type { NginxAnswer } from '../../src/balancer/nginx/answer.ts';
import { service } from './builders.ts';
import { fakePrefixStore } from './fake-prefix-store.ts';
import { virtualClock } from './virtual-clock.ts';

let stop = new AbortController();

/** Ends the balancer that was made last. */
export const stopBalancing = () => stop.abort();

/** The generation of a pool is its names: nginx serving "ab" serves a and b. */
const render = (served: readonly ServedService[]) => {
  const backends = served.flatMap((one) => one.backends);
  const generation = backends.map(({ name }) => name).join('') || 'nobody';
  if (generation.includes('X')) throw new Error('undefined variable: backend.adress, line:28');
  return { generation, configuration: 'one', text: `# ${generation}` };
};

interface Scene {
  readonly once?: boolean;
  readonly away?: boolean;
  readonly remembered?: readonly Remembered[];
  /** Of the template: it fails whatever is in the pool. */
  readonly broken?: boolean;
}

/** A balancer between a fake etcd and an nginx that takes every reload after 100 ms. */
export function balancing({ once = false, away = false, remembered, broken = false }: Scene = {}) {
  stop = new AbortController();
  const clock = virtualClock();
  const store = fakePrefixStore();
  store.away = away;
  const world = {
    ...{ asking: 0, mostAsking: 0 },
    answerMs: 0,
    onDisk: 'none',
    served: 'none',
    /** nginx refuses each file whose generation has this in it. */
    refuses: 'nothing',
    takes: true,
    reloads: 0,
    checks: 0,
  };
  const turns: Turn[] = [];
  const faultOf = (generation: string) => {
    world.checks += 1;
    return generation.includes(world.refuses) ? `unknown directive "${world.refuses}"` : undefined;
  };
  const way: Delivery = {
    faultOf: async ({ generation }) => faultOf(generation),
    deliver: async ({ generation }, { atRest }) => {
      if (atRest !== generation) {
        const reason = faultOf(generation);
        if (reason) return { kind: 'failed', step: 'check', reason, atRest: false };
        world.onDisk = generation;
      }
      world.reloads += 1;
      void clock.sleep(100).then(() => (world.served = world.takes ? world.onDisk : world.served));
      return { kind: 'told', before: undefined };
    },
    takeBack: async (generation) => {
      world.onDisk = generation ?? world.onDisk;
      return { fingerprint: 'the same', trace: { kind: 'unknown' }, words: '' };
    },
  };
  const ended = runBalancer(
    {
      services: [service()],
      ...{ remembered, recordPrefix: '/rollcall' },
      absence: { windowMs: 2000, holdMs: 10_000, share: 0.5 },
      pacing: { settleMs: 100, settleMaxMs: 1000, maxGenerations: 8 },
      ...{ store, clock, random: () => 0 },
      render: (served) => {
        if (broken) throw new Error('undefined variable: backend.adress, line:28');
        return render(served);
      },
      look: async (signal) => {
        await clock.sleep(world.answerMs, signal);
        const answer: NginxAnswer = signal.aborted
          ? { kind: 'silent', reason: 'aborted' }
          : { kind: 'serves', generation: world.served };
        return { atRest: world.onDisk, answer, workers: undefined };
      },
      ways: { configuration: way, membership: way },
      ask: async (address) => {
        world.asking += 1;
        world.mostAsking = Math.max(world.mostAsking, world.asking);
        await clock.sleep(10);
        world.asking -= 1;
        return address !== '127.0.0.1:8002';
      },
      onTurn: (turn) => turns.push(turn),
    },
    { once },
    stop.signal,
  );
  const put = (name: string, port: number) => store.put(`/test/${name}`, `127.0.0.1:${port}`);
  return {
    ...{ clock, store, world, turns, ended, put },
    decision: () => turns.at(-1)?.decision.kind,
    quarantined: () => [...(turns.at(-1)?.quarantine.keys() ?? [])],
  };
}
