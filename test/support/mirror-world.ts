/**
 * A mirror on an etcd of its own behind a proxy, both made to suffer step by step, and what the
 * prefix has been meanwhile. The mirror's pauses are shorter than in life; what it waits for etcd
 * is not.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { startEtcd } from '../../scripts/parts/etcd.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { EtcdEndpoints } from '../../src/registry/etcd/endpoints.ts';
import { etcdKeys } from '../../src/registry/etcd/keys.ts';
import { type MirrorView, nothingKnown, relistMs, runMirror } from '../../src/registry/mirror.ts';
import type { PrefixStore } from '../../src/registry/store.ts';
import { type Change, openEtcdWriter } from './etcd-writer.ts';
import { haste, hastyClock } from './hasty-clock.ts';
import type { Step, Wipe } from './mirror-steps.ts';
import { StorePast } from './store-past.ts';
import { startTcpProxy } from './tcp-proxy.ts';

const prefix = '/test';
/** A restart should not take longer than what it is there to disturb. */
const quickElection = ['--heartbeat-interval', '10', '--election-timeout', '100'];

export interface SeenView {
  readonly view: MirrorView;
  /** The store was wiped since the last listing: what the watch tells is of another one. */
  readonly isOfWiped: boolean;
}

export async function openMirrorWorld() {
  await using stack = new AsyncDisposableStack();
  const etcd = stack.use(await startEtcd({ args: quickElection }));
  const proxy = stack.use(await startTcpProxy(etcd.url));
  const writer = stack.use(openEtcdWriter([etcd.url]));
  const endpoints = stack.use(new EtcdEndpoints([proxy.url], systemClock, Math.random));
  const past = new StorePast();
  const seen: SeenView[] = [];
  const pending: Promise<unknown>[] = [];
  const told = { mayMiss: 0, wipe: { knownUpTo: 0, epoch: 0, atMs: 0 } };
  let changes = 0;
  let watches = 0;
  let isCut = false;
  /** No watch has been opened since something was lost on the way. */
  let isDeaf = false;
  let resetWhenCreated = false;
  let late: { readonly ms: number; readonly held: () => void } | undefined;
  const view = () => seen.at(-1)?.view ?? nothingKnown;

  const real = etcdKeys(endpoints, systemClock);
  const store: PrefixStore = {
    list: async (name, signal) => {
      const listing = await real.list(name, signal);
      if (watches > 0 && late) {
        const { ms, held } = late;
        late = undefined;
        held();
        await systemClock.sleep(ms, signal);
      }
      return listing;
    },
    watch: async (name, from, handlers, signal) => {
      watches += 1;
      isDeaf = isCut;
      try {
        const onReady = () => {
          handlers.onReady();
          if (resetWhenCreated) proxy.reset();
          resetWhenCreated = false;
        };
        return await real.watch(name, from, { ...handlers, onReady }, signal);
      } finally {
        watches -= 1;
        // What a listing told first, this watch could still have told.
        told.mayMiss += view().snapshot?.unexplained.size ?? 0;
      }
    },
  };
  const stop = new AbortController();
  const onChange = (latest: MirrorView) =>
    void seen.push({ view: latest, isOfWiped: (latest.listedAtMs ?? 0) < told.wipe.atMs });
  const mirror = { store, clock: hastyClock, random: Math.random, onChange };
  const running = runMirror(prefix, mirror, stop.signal);
  stack.defer(async () => {
    stop.abort();
    await running;
  });

  let written = 0;
  const change = (name: string, put: boolean): Change => [
    `${prefix}/${name}`,
    put ? `value-${(written += 1)}` : undefined,
  ];
  const write = async (...all: readonly Change[]) => {
    changes += all.length;
    if (isDeaf) told.mayMiss += all.length;
    past.wrote(all, await writer.write(...all));
  };
  const elsewhere = async (count: number) => {
    for (let n = 0; n < count; n += 1) past.wrote([], await writer.write(['elsewhere', `${n}`]));
  };
  const cut = () => {
    proxy.cut();
    isCut = true;
    isDeaf = true;
    // What was written so far may be under way still.
    told.mayMiss += changes;
  };
  const heal = () => {
    proxy.heal();
    isCut = false;
  };
  const later = (ms: number, then: () => void) => void pending.push(sleep(ms).then(then));

  const wipe = async ({ again, past: isPast, unseen }: Wipe) => {
    if (unseen) cut();
    await etcd.kill();
    await etcd.wipe();
    const { snapshot } = view();
    const knownUpTo = snapshot?.listedRevision ?? 0;
    told.wipe = { knownUpTo, epoch: snapshot?.epoch ?? 0, atMs: performance.now() };
    if (isDeaf) told.mayMiss += past.content.size;
    const { revision } = past;
    await etcd.start();
    past.wiped();
    for (const name of again) await write(change(name, true));
    if (isPast) await elsewhere(Math.max(0, revision - past.revision) + 3);
    if (unseen) heal();
  };

  const holdListing = async (ms: number) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    late = { ms, held: resolve };
    // Without a watch there is none to hold back.
    await Promise.race([promise, sleep(relistMs.most / haste)]);
    late = undefined;
  };

  const make = async (step: Step): Promise<void> => {
    switch (step.kind) {
      case 'write':
        return write(...Object.entries(step.puts).map(([name, put]) => change(name, put)));
      case 'burst':
        for (const [name, put] of step.writes) await write(change(name, put));
        return;
      case 'elsewhere':
        return elsewhere(step.writes);
      case 'compact':
        return past.wrote([], await writer.compact());
      case 'pause':
        return sleep(step.ms);
      case 'reset':
        resetWhenCreated = step.created;
        return proxy.reset();
      case 'late listing':
        return holdListing(step.ms);
      case 'stall':
        proxy.stall();
        return later(step.ms, () => proxy.resume());
      case 'black hole':
        cut();
        return later(step.ms, heal);
      case 'freeze':
        await etcd.freeze();
        await sleep(step.ms);
        return etcd.resume();
      case 'restart':
        await etcd.kill();
        return etcd.start();
      case 'wipe':
        return wipe(step);
      default:
        return step satisfies never;
    }
  };

  /** Nothing is disturbed any more. */
  const calm = async () => {
    await Promise.all(pending.splice(0));
    resetWhenCreated = false;
    changes = 0;
  };
  const owned = stack.move();
  return {
    ...{ past, told, view, make, calm },
    /** Each view that there was since the last time. */
    takeViews: () => seen.splice(0, seen.length - 1),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
