import { beforeEach, expect, test } from 'vitest';
import type { EtcdEvent } from '../../../src/registry/etcd/events.ts';
import { faultOf } from '../../../src/registry/etcd/faults.ts';
import { EtcdTokens } from '../../../src/registry/etcd/tokens.ts';
import { virtualClock } from '../../support/virtual-clock.ts';

const login = { user: 'sidecar', password: 'secret' };
const refused = () => faultOf('etcd authentication', new Error('invalid user ID or password'), 600);
const unreachable = () => faultOf('x', Object.assign(new Error('away'), { code: 14 }), 600);

let clock = virtualClock();
let events: EtcdEvent[] = [];
let tokens = new EtcdTokens(
  clock,
  () => 1,
  () => {},
);
let asked = 0;
let answer = async (): Promise<string> => `token ${asked}`;
const ask = () => {
  asked += 1;
  return answer();
};

beforeEach(() => {
  clock = virtualClock();
  events = [];
  asked = 0;
  answer = async () => `token ${asked}`;
  tokens = new EtcdTokens(
    clock,
    () => 1,
    (event) => events.push(event),
  );
});

test('one authentication at a time, and one for as long as its token is accepted', async () => {
  const both = await Promise.all([tokens.get(login, ask), tokens.get(login, ask)]);
  expect(both).toEqual(['token 1', 'token 1']);
  expect(await tokens.get(login, ask)).toBe('token 1');
  tokens.drop('another');
  expect(await tokens.get(login, ask)).toBe('token 1');
  tokens.drop('token 1');
  expect(await tokens.get(login, ask)).toBe('token 2');
});

test('a new password alone does not cost the token; a new user does', async () => {
  await tokens.get(login, ask);
  expect(await tokens.get({ ...login, password: 'new' }, ask)).toBe('token 1');
  expect(await tokens.get({ user: 'other', password: 'new' }, ask)).toBe('token 2');
});

test('after a refusal the next attempt waits, longer each time up to a bound', async () => {
  answer = async () => {
    throw refused();
  };
  const pausesMs: number[] = [];
  let lastMs = 0;
  for (let ms = 0; ms < 20_000; ms += 100) {
    const before = asked;
    await expect(tokens.get(login, ask)).rejects.toThrow('invalid user ID or password');
    if (asked > before) {
      pausesMs.push(ms - lastMs);
      lastMs = ms;
    }
    await clock.advance(100);
  }
  expect(pausesMs).toEqual([0, 500, 1000, 2000, 4000, 4000, 4000, 4000]);
  expect(events).toEqual([
    { kind: 'authentication-failed', user: 'sidecar', reason: 'invalid user ID or password' },
  ]);
});

test('a password that was mended is tried at once, and that it is accepted is told', async () => {
  answer = async () => {
    throw refused();
  };
  await expect(tokens.get(login, ask)).rejects.toThrow('invalid user');
  answer = async () => 'token';
  await expect(tokens.get(login, ask)).rejects.toThrow('invalid user');
  expect(await tokens.get({ ...login }, ask)).toBe('token');
  expect(events.map(({ kind }) => kind)).toEqual(['authentication-failed', 'authenticated']);
});

test('an etcd that cannot be reached is no refusal: the next call asks again', async () => {
  answer = async () => {
    throw unreachable();
  };
  await expect(tokens.get(login, ask)).rejects.toThrow('away');
  await expect(tokens.get(login, ask)).rejects.toThrow('away');
  expect([asked, events]).toEqual([2, []]);
});

test('an etcd without authentication gives none, which is told once', async () => {
  answer = async () => {
    throw new Error('etcdserver: authentication is not enabled');
  };
  expect(await tokens.get(login, ask)).toBeUndefined();
  tokens.drop(undefined);
  expect(await tokens.get(login, ask)).toBeUndefined();
  expect([asked, events]).toEqual([2, [{ kind: 'authentication-off' }]]);
});
