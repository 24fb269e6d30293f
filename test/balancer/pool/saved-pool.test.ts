import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  formatSavedPool,
  parseSavedPool,
  readSavedPool,
  type SavedPool,
  writeSavedPool,
} from '../../../src/balancer/pool/saved-pool.ts';
import { type Backend, parseBackend } from '../../../src/registry/backend.ts';
import { backend } from '../../support/builders.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const savedAt = '2026-01-01T00:00:00.000Z';

const poolOf = (...backends: readonly Backend[]): SavedPool => ({
  savedAt,
  services: [
    { name: 'web', prefix: '/test', clusterId: '14841639068965178418', revision: 42, backends },
  ],
});

function heavy(): Backend {
  const value = '{"address":"[2001:db8::1]:8001","weight":5,"meta":{"rack":"r1","zone":"a"}}';
  const parsed = parseBackend('/test', '/test/heavy', value, value.length);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}

test('it is written as keys and values are in etcd', () => {
  expect(formatSavedPool(poolOf(backend('a', 8001), heavy()))).toMatchInlineSnapshot(`
    "{"rollcall":1,"savedAt":"2026-01-01T00:00:00.000Z","services":[{"name":"web","prefix":"/test","clusterId":"14841639068965178418","revision":42,"backends":[["/test/a","127.0.0.1:8001"],["/test/heavy","{\\"address\\":\\"[2001:db8::1]:8001\\",\\"weight\\":5,\\"meta\\":{\\"rack\\":\\"r1\\",\\"zone\\":\\"a\\"}}"]]}]}
    "
  `);
});

test('what is written is read again as it was', () => {
  const anyAddress = fc.tuple(fc.ipV4(), fc.integer({ min: 1, max: 65_535 }));
  const anyBackend = fc
    .record({
      name: fc.stringMatching(/^[A-Za-z0-9._-]{1,20}$/),
      address: anyAddress.map(([host, port]) => `${host}:${port}`),
      weight: fc.integer({ min: 1, max: 1000 }),
      meta: fc.dictionary(
        fc.stringMatching(/^[A-Za-z0-9.-]{1,8}$/),
        fc.stringMatching(/^[A-Za-z0-9._:/@-]{0,8}$/),
        { maxKeys: 4 },
      ),
    })
    .map(({ name, ...value }) => {
      const text = JSON.stringify(value);
      return parseBackend('/test', `/test/${name}`, text, text.length);
    })
    .filter((parsed) => parsed.ok)
    .map(({ value }) => value);
  fc.assert(
    fc.property(fc.array(anyBackend), (backends) => {
      const pool = poolOf(...backends);
      expect(parseSavedPool(formatSavedPool(pool))).toEqual({ ok: true, value: pool });
    }),
  );
});

const good = JSON.parse(formatSavedPool(poolOf(backend('a', 8001)))) as {
  readonly services: readonly object[];
};
const service = good.services[0];
const withService = (rest: object) => ({ ...good, services: [{ ...service, ...rest }] });

test.each<[unknown, string]>([
  [[], 'it is not a JSON object'],
  [{ ...good, rollcall: 2 }, 'it is not of version 1, but of 2'],
  [{ services: [] }, 'it is not of version 1, but of none'],
  [{ ...good, savedAt: 'soon' }, '"savedAt" is no time'],
  [{ ...good, services: {} }, '"services" is no list'],
  [{ ...good, services: [null] }, 'is no object'],
  [withService({ name: 1 }), 'no name, prefix or clusterId'],
  [withService({ clusterId: undefined }), 'no name, prefix or clusterId'],
  [withService({ revision: 0.5 }), 'service "web": its "revision" is no whole number'],
  [withService({ revision: -1 }), '"revision" is no whole number'],
  [withService({ backends: {} }), 'service "web": its "backends" is no list'],
  [withService({ backends: ['/test/a'] }), 'is no key and value'],
  [withService({ backends: [['/test/a']] }), 'is no key and value'],
  [withService({ prefix: '/other' }), 'key: it is not directly below /other/'],
  // What could get into nginx.conf, were the grammar asked only before writing.
  [withService({ backends: [['/test/a', '127.0.0.1:8001; include /etc/passwd']] }), 'value: '],
  [withService({ backends: [['/test/a', '{"address":"127.0.0.1:8001","weight":0}']] }), '"weight"'],
])('%j is of no use', (object, reason) => {
  expect(parseSavedPool(JSON.stringify(object))).toEqual({
    ok: false,
    reason: expect.stringContaining(reason) as unknown,
  });
});

test('of a file that is cut short nothing is used, wherever it is cut', () => {
  const text = formatSavedPool(poolOf(backend('a', 8001), heavy())).trim();
  for (let length = 0; length < text.length; length += 1) {
    expect(parseSavedPool(text.slice(0, length)).ok).toBe(false);
  }
});

test('there is none; then there is one, readable by its owner and group; then another', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'pool.json');
  expect(await readSavedPool(path)).toBeUndefined();
  for (const pool of [poolOf(backend('a', 8001)), poolOf(heavy())]) {
    await writeSavedPool(path, pool);
    expect(await readSavedPool(path)).toEqual({ ok: true, value: pool });
    expect((await stat(path)).mode & 0o777).toBe(0o640 & ~process.umask());
    expect(await readdir(directory.path)).toEqual(['pool.json']);
  }
});

test('what was left by one who was killed while writing is in nobody’s way', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'pool.json');
  await writeFile(join(directory.path, '.pool.json.rollcall-staged'), '{"roll', { mode: 0o400 });
  expect(await readSavedPool(path)).toBeUndefined();
  await writeSavedPool(path, poolOf());
  expect(await readdir(directory.path)).toEqual(['pool.json']);
});

test('a file that is too large, a directory and a pipe are of no use, and are not waited for', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'pool.json');
  await writeFile(path, '');
  await truncate(path, 64 * 1024 * 1024 + 1);
  const fifo = join(directory.path, 'pipe');
  spawnSync('mkfifo', [fifo]);
  await mkdir(join(directory.path, 'directory'));
  const read = [path, fifo, join(directory.path, 'directory')].map(readSavedPool);
  expect(await Promise.all(read)).toEqual(
    ['67108865 bytes; at most 67108864', 'it is no file', 'it is no file'].map((reason) => ({
      ok: false,
      reason: expect.stringContaining(reason) as unknown,
    })),
  );
});

test('a disk that fills up leaves the pool that was there', async (context) => {
  await using directory = await temporaryDirectory();
  const mount = ['-t', 'tmpfs', '-o', 'size=64k', 'none', directory.path];
  if (spawnSync('mount', mount).status !== 0) context.skip('mounting is not allowed here');
  try {
    const path = join(directory.path, 'pool.json');
    await writeSavedPool(path, poolOf(backend('a', 8001)));
    const before = await readFile(path, 'utf8');
    const many = Array.from({ length: 3000 }, (_, at) => backend(`apache-${at}`, 8001));
    await expect(writeSavedPool(path, poolOf(...many))).rejects.toThrow(
      `${path}: the disk is full`,
    );
    expect(await readFile(path, 'utf8')).toBe(before);
    expect(await readdir(directory.path)).toEqual(['pool.json']);
  } finally {
    spawnSync('umount', [directory.path]);
  }
});
