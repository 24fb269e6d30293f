import { expect, test } from 'vitest';
import type { Turn } from '../../src/balancer/balancer.ts';
import { noGenerations } from '../../src/balancer/nginx/generations.ts';
import { type Census, unknownCensus } from '../../src/balancer/pool/census.ts';
import { nobodyQuarantined } from '../../src/balancer/rollout/quarantine.ts';
import type { NginxAnswer } from '../../src/balancer/nginx/answer.ts';
import { nothingObserved } from '../../src/balancer/rollout/rollout.ts';
import { foldSaid, nothingSaid, type Said, textsOf } from '../../src/balancer/said.ts';
import { firstSnapshot } from '../../src/registry/snapshot.ts';
import { emptyRoster } from '../../src/balancer/pool/absence.ts';
import { backend, service } from '../support/builders.ts';

/** What is known at this revision of the store. */
const census = (revision: number, { epoch = 0, listedAtMs = 100 } = {}): Census => ({
  ...unknownCensus(service()),
  ...{ source: 'etcd', clusterId: 'one', newsAtRevision: revision, reflects: revision },
  view: {
    snapshot: { ...firstSnapshot({ clusterId: 'one', revision, keys: [] }), epoch },
    ...{ connected: true, listedAtMs, trouble: undefined },
  },
});

const target = (generation: string, revision: number): NonNullable<Turn['target']> => ({
  rendered: { generation, configuration: 'c', text: '' },
  ...{ served: [], sinceMs: 0, censuses: [census(revision)] },
});

interface Moment {
  readonly known: Census;
  readonly target: Turn['target'];
  readonly answers: string | undefined;
  readonly confirmed?: boolean;
  readonly told?: string;
  readonly living?: number;
}

const turn = ({ known, target: to, answers, confirmed = false, told, living }: Moment): Turn => {
  const answer: NginxAnswer =
    answers === undefined
      ? { kind: 'silent', reason: 'nginx is not running' }
      : { kind: 'serves', generation: answers };
  return {
    ...{ censuses: [known], target: to, draft: undefined, quarantine: nobodyQuarantined },
    pace: { due: false, forMs: 500, because: 'nothing new' },
    rollout: {
      ...{ ...nothingObserved, answer },
      told: told === undefined ? undefined : { generation: told, atMs: 0, before: undefined },
    },
    generations: { ...noGenerations, living },
    decision: confirmed ? { kind: 'confirmed' } : { kind: 'wait', forMs: 20 },
  };
};

const after = (...moments: readonly Moment[]) =>
  moments.reduce((said: Said, moment) => foldSaid(said, turn(moment), 0), nothingSaid);
const revisionOf = (said: Said) => said.services[0]?.revision;

const settled: Moment = {
  ...{ known: census(10), target: target('aa', 10), answers: 'aa', confirmed: true },
};

test('before anything is confirmed it says that it lives, and revision 0', () => {
  const said = after({ known: census(10), target: undefined, answers: undefined });
  expect(revisionOf(said)).toBe(0);
});

test('the first answer of the new generation is not enough', () => {
  const answered = { ...settled, confirmed: false };
  expect(revisionOf(after(answered))).toBe(0);
  expect(revisionOf(after(answered, settled))).toBe(10);
});

test('what is known meanwhile and not served yet is not said', () => {
  const newer = { ...settled, known: census(12) };
  expect(revisionOf(after(settled, newer))).toBe(10);
});

test('what was said stands while the next one is brought to nginx, and while nginx is away', () => {
  const next = { known: census(12), target: target('bb', 12), told: 'bb' };
  const swapped = after(settled, { ...next, answers: 'aa' });
  expect(revisionOf(swapped)).toBe(10);
  const mixed = foldSaid(swapped, turn({ ...next, answers: 'bb' }), 0);
  expect(revisionOf(mixed)).toBe(10);
  expect(revisionOf(foldSaid(mixed, turn({ ...next, answers: undefined }), 0))).toBe(10);
});

test('brought to what reflects less, it says no more than that from then on', () => {
  const heldAgain = { known: census(12), target: target('bb', 7), told: 'bb', answers: 'aa' };
  const said = after(settled, heldAgain);
  expect(revisionOf(said)).toBe(7);
  const confirmed = { ...heldAgain, answers: 'bb', confirmed: true };
  expect(revisionOf(foldSaid(said, turn(confirmed), 0))).toBe(7);
});

test('of several generations told in a row, each is later than what was said', () => {
  const next = { known: census(14), target: target('cc', 14) };
  const said = after(
    settled,
    { ...next, told: 'bb', answers: 'aa' },
    { ...next, told: 'cc', answers: 'bb' },
  );
  expect(revisionOf(said)).toBe(10);
});

test('an nginx that serves something else takes back what was said', () => {
  const byHand = { ...settled, confirmed: false, answers: 'ff' };
  const said = after(settled, byHand);
  expect(revisionOf(said)).toBe(0);
  expect(revisionOf(foldSaid(said, turn(settled), 0))).toBe(10);
});

test('another store counts anew', () => {
  const restored = { ...settled, confirmed: false, known: census(3, { epoch: 1 }) };
  expect(revisionOf(after(settled, restored))).toBe(0);
});

test('confirmed with knowledge of the store before: not said of the new one', () => {
  const restored = { ...settled, known: census(3, { epoch: 1 }) };
  expect(revisionOf(after(restored))).toBe(0);
});

test('after its lease was lost, a listing from before that says nothing', () => {
  const lostAtMs = 200;
  const before = foldSaid(after(settled), turn(settled), lostAtMs);
  expect(revisionOf(before)).toBe(0);
  const listed = { ...settled, known: census(10, { listedAtMs: 300 }) };
  expect(revisionOf(foldSaid(before, turn(listed), lostAtMs))).toBe(10);
});

test('older generations that live are told, and that they cannot be seen', () => {
  expect(after({ ...settled, living: 2 }).olderLive).toBe(true);
  expect(after({ ...settled, living: 1 }).olderLive).toBe(false);
  expect(after(settled).olderLive).toBeNull();
});

test('the text changes with what is said and with nothing else', () => {
  const speaker = { instance: 'i', host: 'h', pid: 1, version: 'v', admin: null };
  const first = textsOf(after(settled), ['web'], speaker);
  const later = {
    ...settled,
    known: { ...census(10), view: { ...settled.known.view, listedAtMs: 9e9 } },
  };
  expect(textsOf(after(settled, later, later), ['web'], speaker)).toEqual(first);
  expect(JSON.parse(first[0] ?? '')).toMatchObject({
    service: 'web',
    revision: 10,
    generation: 'aa',
  });
  const [nothing = ''] = textsOf(after({ ...settled, confirmed: false }), ['web'], speaker);
  expect(JSON.parse(nothing)).toMatchObject({ revision: 0, generation: null });
});

const speaker = { instance: 'i', host: 'h', pid: 1, version: 'v', admin: null };
const omitsOf = (said: Said) => {
  const { omits, omitsMore } = JSON.parse(textsOf(said, ['web'], speaker)[0] ?? '');
  return [omits, omitsMore];
};

/** a, b, ... of which nginx is given only those; `z` is a second key of a's address. */
const omitting = (all: string, given: string): Moment => {
  const backends = Array.from(all, (name, n) => backend(name, 8001 + n));
  const now: Census = {
    ...census(10),
    ...{ served: backends, roster: { ...emptyRoster, backends } },
    pool: {
      backends,
      setAside: [
        { key: '/test/z', reason: 'value: 127.0.0.1:8001', duplicateOf: '/test/a' },
        { key: '/test/y', reason: 'value: it is empty' },
      ],
    },
  };
  const served = backends.filter(({ name }) => given.includes(name));
  return {
    ...{ known: now, answers: given, confirmed: true },
    target: {
      ...{ rendered: { generation: given, configuration: 'c', text: '' }, sinceMs: 0 },
      ...{ served: [{ service: service(), backends: served }], censuses: [now] },
    },
  };
};

test('keys of backends that nginx is not given are named, in order; what is no backend is not', () => {
  expect(omitsOf(after(omitting('abc', 'abc')))).toEqual([['z'], false]);
  expect(omitsOf(after(omitting('cab', 'b')))).toEqual([['a', 'c', 'z'], false]);
  expect(omitsOf(after({ ...omitting('abc', 'b'), confirmed: false }))).toEqual([[], false]);
});

test('what nginx is brought to be without is named at once, what it is brought to once it serves it', () => {
  const [more, fewer] = [omitting('abc', 'ab'), omitting('abc', 'bc')];
  const brought = foldSaid(
    after(more),
    turn({ ...fewer, answers: 'ab', told: 'bc', confirmed: false }),
    0,
  );
  expect(omitsOf(brought)).toEqual([['a', 'c', 'z'], false]);
  expect(omitsOf(foldSaid(brought, turn(fewer), 0))).toEqual([['a', 'z'], false]);
});

test('of very many no more are named than have room, and that there are more is said', () => {
  const now = omitting('abc', 'abc').known;
  const setAside = Array.from({ length: 201 }, (_, n) => ({
    ...{ key: `/test/${1000 + n}`, reason: 'value: twice', duplicateOf: '/test/a' },
  }));
  const moment = omitting('abc', 'abc');
  const many = { ...now, pool: { ...now.pool, setAside } };
  const said = after({
    ...moment,
    target: moment.target && { ...moment.target, censuses: [many] },
  });
  const [omits, omitsMore] = omitsOf(said);
  expect([omits.length, omits[199], omitsMore]).toEqual([200, '1199', true]);
});
