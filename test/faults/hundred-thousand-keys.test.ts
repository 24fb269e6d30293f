/**
 * A hundred thousand keys below one prefix, some of which are no backends whatever they may be: the
 * rest is served by a real nginx, and one that goes is gone soon. What it costs is bounded.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { startApache } from '../../scripts/parts/apache.ts';
import { startEtcd } from '../../scripts/parts/etcd.ts';
import { httpGet } from '../../scripts/parts/http-get.ts';
import { freePort } from '../../scripts/parts/ports.ts';
import { startBalancer } from '../../scripts/parts/rollcall.ts';
import type { BalancerStatus } from '../../scripts/parts/status.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { type Change, type EtcdWriter, openEtcdWriter } from '../support/etcd-writer.ts';
import { makeNginxSite } from '../support/nginx-site.ts';
import { measureStalls } from '../support/stalls.ts';

const prefix = '/many';
const backendCount = 99_000;
/** No name that a backend may have, or no value. */
const strange: readonly ((n: number) => Change)[] = [
  (n) => [`${prefix}/a name with blanks ${n}`, '127.0.0.1:80'],
  (n) => [`${prefix}/bell\u0007\u001b[2J\n${n}`, '127.0.0.1:80'],
  (n) => [`${prefix}/апач-日本-${n}`, '127.0.0.1:80'],
  (n) => [`${prefix}/empty-${n}`, ''],
  (n) => [`${prefix}/${n}-${'x'.repeat(1000)}`, '127.0.0.1:80'],
];
const ofEach = 200;
/** What etcd takes in one transaction. */
const opsInTxn = 128;

/** Linux answers on all of 127.0.0.0/8, so that each of them lives. */
const addressOf = (n: number, port: number) =>
  `127.${1 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}:${port}`;
const keyOf = (n: number) => `${prefix}/apache-${String(n).padStart(6, '0')}`;

const mostKb = 512 * 1024;
/** Listing and rendering all of it, nginx's check, its start, and its first look at all of them. */
const servedWithinMs = 20_000;
/** Rendering and checking all of it anew: under a second where nobody else wants the processor. */
const removedWithinMs = 8000;

async function putAll(writer: EtcdWriter, port: number): Promise<void> {
  const changes: Change[] = [
    ...Array.from({ length: backendCount }, (_, n): Change => [keyOf(n), addressOf(n, port)]),
    ...strange.flatMap((make) => Array.from({ length: ofEach }, (_, n) => make(n))),
  ];
  const inParallel = 8;
  await Promise.all(
    Array.from({ length: inParallel }, async (_, line) => {
      for (let at = line * opsInTxn; at < changes.length; at += inParallel * opsInTxn) {
        await writer.write(...changes.slice(at, at + opsInTxn));
      }
    }),
  );
}

test('they are listed, rendered and served; one goes within seconds; memory and log are bounded', async () => {
  await using etcd = await startEtcd();
  await using writer = openEtcdWriter([etcd.url]);
  const port = await freePort();
  await using apache = await startApache({ extra: { directives: [`Listen 0.0.0.0:${port}`] } });
  await putAll(writer, port);
  await using site = await makeNginxSite(etcd.url, prefix);
  await using balancer = await startBalancer(site.flags);
  const { pid } = balancer;
  const written = { expected: 'a file', withinMs: servedWithinMs };
  await waitUntil(written, () => existsSync(site.home.conf) || 'none');
  await site.startNginx();

  const ask = async (path: string) => (await httpGet(`${balancer.adminUrl}${path}`, 10_000)).body;
  const metric = async (name: string) =>
    Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(await ask('/metrics'))?.[1]);
  await waitUntil({ expected: 'all of them, confirmed', withinMs: servedWithinMs }, async () => {
    const confirmed = await metric('rollcall_generation_confirmed');
    return confirmed === 1 || `${confirmed}`;
  });
  const lines = await site.upstream();
  expect(lines).toHaveLength(backendCount);
  expect(lines[77_777]).toBe(`server ${addressOf(77_777, port)};`);
  for (let n = 0; n < 20; n += 1) {
    const { status, body } = await httpGet(site.url, 2000);
    expect([status, body.includes(apache.name)]).toEqual([200, true]);
  }

  using stalls = measureStalls();
  const removedAt = await writer.write([keyOf(77_777), undefined]);
  const gone = { expected: 'one fewer, confirmed', withinMs: servedWithinMs };
  const tookMs = await waitUntil(gone, async () => {
    const applied = await metric('rollcall_revision_applied');
    return applied >= removedAt || `${applied}`;
  });
  expect(tookMs).toBeLessThan(removedWithinMs + stalls.totalMs);
  expect(await site.upstream()).toEqual(lines.toSpliced(77_777, 1));

  const { backends } = JSON.parse(await ask('/status')) as BalancerStatus;
  const refused = backends.filter(({ state }) => state === 'set aside');
  expect([backends.length, refused.length]).toEqual([
    backendCount - 1 + strange.length * ofEach,
    strange.length * ofEach,
  ]);
  const told = balancer.log.map(({ msg, key }) => (msg.startsWith('key set aside') ? key : msg));
  // Each of them once, and what there is to tell of the two generations.
  expect(new Set(told).size).toBeGreaterThanOrEqual(refused.length);
  expect(told.filter((one) => refused.some(({ key }) => key === one))).toHaveLength(refused.length);
  expect(told.length).toBeLessThan(refused.length + 20);
  expect(balancer.log.map((line) => JSON.stringify(line).length < 2000)).not.toContain(false);
  expect(balancer.log.filter(({ level }) => level === 'error')).toEqual([]);
  const status = await readFile(`/proc/${pid}/status`, 'latin1');
  expect(Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1])).toBeLessThan(mostKb);
  // It has never ended and been started anew.
  expect(balancer.pid).toBe(pid);
}, 60_000);
