// Whatever happens to keys, records and orders, and whenever the balancer hears of it: what it has once
// acknowledged as gone is never given to nginx again, until its key is back or etcd is another one.
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Turn } from '../../src/balancer/balancer.ts';
import { noGenerations } from '../../src/balancer/nginx/generations.ts';
import { heldOf, recordAnswer } from '../../src/balancer/pool/absence.ts';
import { type Census, foldCensus, unknownCensus } from '../../src/balancer/pool/census.ts';
import { nobodyQuarantined } from '../../src/balancer/rollout/quarantine.ts';
import { nothingObserved } from '../../src/balancer/rollout/rollout.ts';
import { foldSaid, nothingSaid } from '../../src/balancer/said.ts';
import type { Snapshot } from '../../src/registry/snapshot.ts';
import { service } from '../support/builders.ts';
import { anyStep, World } from './reflects-world.ts';

/** What the loop does after the steps: is it time for what is wanted, does nginx serve it, who answers? */
const anyTurn = fc.record({
  steps: fc.array(anyStep, { maxLength: 4 }),
  due: fc.boolean(),
  confirmed: fc.boolean(),
  answers: fc.option(fc.boolean(), { nil: undefined }),
});

const generationOf = ({ served }: Census) => served.map(({ name }) => name).join('') || 'nobody';

function turnOf(census: Census, target: Turn['target'], confirmed: boolean, served: string): Turn {
  const told = target && { generation: target.rendered.generation, atMs: 0, before: undefined };
  return {
    ...{ censuses: [census], target, draft: undefined, quarantine: nobodyQuarantined },
    pace: { due: false, forMs: 500, because: 'nothing new' },
    rollout: { ...nothingObserved, answer: { kind: 'serves', generation: served }, told },
    generations: noGenerations,
    decision: confirmed ? { kind: 'confirmed' } : { kind: 'wait', forMs: 20 },
  };
}

const fold = (before: Census, world: World, share: number) => {
  const view = (snapshot: Snapshot) => ({
    ...{ snapshot, connected: true, listedAtMs: world.listedAtMs, trouble: undefined },
  });
  const seen = { view: view(world.copies.keys), records: view(world.copies.records) };
  const rule = { windowMs: 2000, holdMs: 10_000, share };
  return foldCensus(before, { ...seen, recordPrefix: '/rollcall' }, world.nowMs, rule);
};

test.each([0.3, 0.5, 1])(
  'what is acknowledged is never put back; held above %d',
  { timeout: 30_000 },
  (share) => {
    const reached = { held: 0, acknowledged: 0 };
    fc.assert(
      fc.property(fc.array(anyTurn, { minLength: 5, maxLength: 40 }), (turns) => {
        const world = new World();
        let census = fold(unknownCensus(service()), world, share);
        let target: Turn['target'];
        let said = nothingSaid;
        let servedNow = 'none';
        /** Keys of which it was acknowledged that they are gone. */
        let out = new Set<string>();
        let settled = new Set<string>();
        for (const { steps, due, confirmed, answers } of turns) {
          for (const step of steps) step(world);
          const before = census;
          if (answers !== undefined) {
            const [one] = heldOf(census.roster);
            const roster = one && recordAnswer(census.roster, one.backend.key, answers);
            census = { ...census, roster: roster ?? census.roster };
          }
          census = fold(census, world, share);
          const { keys } = world.copies;
          expect(census.reflects).toBeLessThanOrEqual(keys.revision);
          if (before.view.snapshot?.epoch !== keys.epoch) [out, settled] = [new Set(), new Set()];
          else expect(census.reflects).toBeGreaterThanOrEqual(before.reflects);
          // The loop: what is wanted becomes what nginx is brought to, and that is confirmed or not.
          const generation = generationOf(census);
          if (due || generation === target?.rendered.generation) {
            const rendered = { generation, configuration: 'c', text: '' };
            const served = [{ service: service(), backends: census.served }];
            target = { rendered, served, sinceMs: 0, censuses: [census] };
          }
          const isConfirmed = confirmed && target !== undefined;
          if (isConfirmed) servedNow = target?.rendered.generation ?? servedNow;
          said = foldSaid(said, turnOf(census, target, isConfirmed, servedNow), 0);

          for (const [key, goneAt] of world.goneAt) {
            if (keys.keys.has(key)) continue;
            if (census.reflects >= goneAt) settled.add(key);
            if ((said.services[0]?.revision ?? 0) >= goneAt) out.add(key);
          }
          for (const key of keys.keys.keys()) {
            out.delete(key);
            settled.delete(key);
          }
          const wanted = census.served.map(({ key }) => key).filter((key) => settled.has(key));
          const given = target?.served[0]?.backends.map(({ key }) => key) ?? [];
          expect([wanted, given.filter((key) => out.has(key))]).toEqual([[], []]);
          reached.held += heldOf(census.roster).length;
          reached.acknowledged += out.size;
        }
      }),
      { numRuns: 500 },
    );
    // It would show nothing if it came to nothing.
    expect(reached.acknowledged).toBeGreaterThan(100);
    if (share < 1) expect(reached.held).toBeGreaterThan(100);
  },
);
