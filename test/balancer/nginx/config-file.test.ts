import { spawnSync } from 'node:child_process';
import { chmod, chown, mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { configFile } from '../../../src/balancer/nginx/config-file.ts';
import { createRenderer } from '../../../src/balancer/render/render.ts';
import { readTemplates } from '../../../src/balancer/render/templates.ts';
import { onlyService } from '../../../src/options/service-values.ts';
import type { Backend } from '../../../src/registry/backend.ts';
import { backend } from '../../support/builders.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const service = onlyService('/test');
const { render } = createRenderer(
  {
    ...{ listen: '8080', confirmListen: '127.0.0.1:8079', confirmPath: '/' },
    ...{ pidFile: '/run/nginx.pid', errorLog: 'stderr', accessLog: 'off' },
    workerShutdownTimeoutMs: 240_000,
  },
  [service],
  readTemplates(undefined),
);
const of = (...backends: readonly Backend[]) => render([{ service, backends }]);
const one = of(backend('a', 8001));
const two = of(backend('a', 8001), backend('b', 8002));
const three = of(backend('c', 8003));

async function scratch() {
  const directory = await temporaryDirectory();
  const path = join(directory.path, 'nginx.conf');
  return { directory, path, file: configFile(path), left: () => readdir(directory.path) };
}

test('no file has no generation, and a first commit makes it', async () => {
  const { directory, path, file, left } = await scratch();
  await using _ = directory;
  expect(await file.generation()).toBeUndefined();
  expect(await file.text()).toBeUndefined();
  await file.stage(one.text);
  expect(await left()).toEqual(['.nginx.conf.rollcall-staged']);
  await file.commit(undefined);
  expect(await left()).toEqual(['nginx.conf']);
  expect(await readFile(path, 'utf8')).toBe(one.text);
  expect(await file.generation()).toBe(one.generation);
});

test('staging leaves the file alone, and discarding leaves nothing', async () => {
  const { directory, path, file, left } = await scratch();
  await using _ = directory;
  await writeFile(path, 'events {}\n');
  await file.stage(one.text);
  expect(await readFile(path, 'utf8')).toBe('events {}\n');
  await file.discard();
  await file.discard();
  expect(await left()).toEqual(['nginx.conf']);
});

test('a file staged by one who was killed is staged over', async () => {
  const { directory, file } = await scratch();
  await using _ = directory;
  await writeFile(file.stagedPath, 'half a fi', { mode: 0o400 });
  await file.stage(one.text);
  expect(await readFile(file.stagedPath, 'utf8')).toBe(one.text);
});

test('the new file has the mode and the owner of the one before it', async () => {
  const { directory, path, file } = await scratch();
  await using _ = directory;
  await writeFile(path, 'events {}\n');
  // More than the umask would leave to a new file.
  await chmod(path, 0o666);
  if (process.getuid?.() === 0) await chown(path, 33, 33);
  const before = await stat(path);
  await file.stage(one.text);
  await file.commit(undefined);
  const { mode, uid, gid } = await stat(path);
  expect({ mode, uid, gid }).toEqual({ mode: before.mode, uid: before.uid, gid: before.gid });
});

test('a change by hand, even of the same length, is no longer that generation', async () => {
  const { directory, path, file } = await scratch();
  await using _ = directory;
  await file.stage(one.text);
  await file.commit(undefined);
  expect(await file.generation()).toBe(one.generation);
  await writeFile(path, one.text.replace('8001', '8666'));
  expect(await file.generation()).toBeUndefined();
});

test('the previous file is put back for its own generation only, and once', async () => {
  const { directory, path, file, left } = await scratch();
  await using _ = directory;
  for (const { text } of [one, two]) {
    await file.stage(text);
    await file.commit(one.generation);
  }
  expect(await file.restore(two.generation)).toBe(false);
  expect(await file.generation()).toBe(two.generation);
  expect(await file.restore(one.generation)).toBe(true);
  expect(await readFile(path, 'utf8')).toBe(one.text);
  expect(await left()).toEqual(['nginx.conf']);
  expect(await file.restore(one.generation)).toBe(false);
});

test('a directory that is gone is a failure with its path, and makes none', async () => {
  const { directory } = await scratch();
  await using _ = directory;
  const path = join(directory.path, 'gone', 'nginx.conf');
  await expect(configFile(path).stage(one.text)).rejects.toThrow(path);
  expect(await readdir(directory.path)).toEqual([]);
});

test('an unreadable file is an error, which is not "no file"', async () => {
  const { directory, path, file } = await scratch();
  await using _ = directory;
  await mkdir(path);
  await expect(file.generation()).rejects.toThrow('EISDIR');
});

test('a file that is a mount of its own is refused in words, and stays', async (context) => {
  const { directory, path, file, left } = await scratch();
  await using _ = directory;
  const source = join(directory.path, 'source');
  await writeFile(source, one.text);
  await writeFile(path, '');
  const mounted = spawnSync('mount', ['--bind', source, path]).status === 0;
  if (!mounted) context.skip('mounting is not allowed here');
  try {
    await file.stage(two.text);
    const committed = file.commit(one.generation);
    await expect(committed).rejects.toThrow('mount its directory instead');
    expect(await readFile(path, 'utf8')).toBe(one.text);
    // No second name for a file of another mount: it is a copy.
    const previous = '.nginx.conf.rollcall-previous';
    expect(await left()).toEqual([previous, 'nginx.conf', 'source']);
    expect(await readFile(join(directory.path, previous), 'utf8')).toBe(one.text);
  } finally {
    spawnSync('umount', [path]);
  }
});

test('the previous file is the very file that was there, and what is written to the new one is not in it', async () => {
  const { directory, path, file } = await scratch();
  await using _ = directory;
  await file.stage(one.text);
  await file.commit(undefined);
  const { ino } = await stat(path);
  await file.stage(two.text);
  await file.commit(one.generation);
  const previousPath = join(directory.path, '.nginx.conf.rollcall-previous');
  expect((await stat(previousPath)).ino).toBe(ino);
  await writeFile(path, 'by hand\n');
  expect(await readFile(previousPath, 'utf8')).toBe(one.text);
  expect(await file.restore(one.generation)).toBe(true);
  expect(await file.generation()).toBe(one.generation);
});

test('what somebody else puts in its place right after a commit is not taken for ours', async () => {
  const { directory, path, file } = await scratch();
  await using _ = directory;
  await file.stage(one.text);
  const { durable } = await file.commit(undefined);
  await writeFile(`${path}-new`, one.text.replace('8001', '8666'));
  await rename(`${path}-new`, path);
  await durable;
  expect(await file.generation()).toBeUndefined();
});

const readAt = async (path: string) => (await stat(path, { bigint: true })).atimeNs;

test('the file is looked into neither by a commit nor after it', async () => {
  const { directory, path, file } = await scratch();
  await using _ = directory;
  for (const { text, generation } of [one, two, three]) {
    await file.stage(text);
    const before = await readAt(file.stagedPath);
    // The times of files go in steps of 4 ms.
    await sleep(20);
    await (
      await file.commit(one.generation)
    ).durable;
    expect(await file.generation()).toBe(generation);
    await sleep(20);
    await file.stage('');
    expect(await readAt(path)).toBe(before);
  }
});

test('only what nginx has taken is kept as the previous file: two refusals in a row lose nothing', async () => {
  const { directory, path, file } = await scratch();
  await using _ = directory;
  for (const { text } of [one, two, three]) {
    await file.stage(text);
    await file.commit(one.generation);
  }
  expect(await file.restore(one.generation)).toBe(true);
  expect(await readFile(path, 'utf8')).toBe(one.text);
});

test('a file of somebody else is kept beside the one that takes its place', async () => {
  const { directory, path, file, left } = await scratch();
  await using _ = directory;
  await writeFile(path, 'events {}\n');
  await file.stage(one.text);
  await file.commit(undefined);
  expect(await left()).toEqual(['nginx.conf', 'nginx.conf.before-rollcall']);
  expect(await readFile(`${path}.before-rollcall`, 'utf8')).toBe('events {}\n');
});
