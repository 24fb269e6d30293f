import { spawnSync } from 'node:child_process';
import {
  chmod,
  link,
  mkdir,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { becomeSoleWriter } from '../../src/balancer/sole-writer.ts';
import { UsageError } from '../../src/lib/errors.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { virtualClock } from '../support/virtual-clock.ts';

const lockName = '.nginx.conf.rollcall-lock';
const me = `process ${process.pid} on ${hostname()}`;

async function scratch() {
  const directory = await temporaryDirectory();
  const conf = join(directory.path, 'nginx.conf');
  return { directory, conf, left: () => readdir(directory.path) };
}

/** Somebody who listens there, and what he does with those who call. */
async function holder(path: string, called: (socket: Socket) => void) {
  const server = createServer((socket) => called(socket.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return server;
}

/** A socket that nobody listens on, as one that was killed leaves it. */
async function deadSocket(path: string) {
  await using _ = await holder(`${path}-`, () => {});
  await link(`${path}-`, path);
}

test('the second is told who the first is, and may when that has gone', async () => {
  const { directory, conf, left } = await scratch();
  await using _ = directory;
  const first = await becomeSoleWriter(conf);
  expect(first.unguarded).toBeUndefined();
  expect(await left()).toEqual([lockName]);
  // One of another account may ask.
  expect((await stat(join(directory.path, lockName))).mode & 0o777).toBe(0o666);
  const second = becomeSoleWriter(conf);
  await expect(second).rejects.toThrow(UsageError);
  await expect(second).rejects.toThrow(
    `--nginx-conf ${conf}: a balancer looks after it already (${me}): stop that one`,
  );
  expect(await left()).toEqual([lockName]);
  await first[Symbol.asyncDispose]();
  expect(await left()).toEqual([]);
  await using third = await becomeSoleWriter(conf);
  expect(third.unguarded).toBeUndefined();
});

test('files beside each other do not exclude each other; two ways to one file do', async () => {
  const { directory, conf } = await scratch();
  await using _ = directory;
  await using first = await becomeSoleWriter(conf);
  await using other = await becomeSoleWriter(join(directory.path, 'other.conf'));
  expect([first.unguarded, other.unguarded]).toEqual([undefined, undefined]);
  await using elsewhere = await temporaryDirectory();
  await symlink(directory.path, join(elsewhere.path, 'link'));
  await expect(becomeSoleWriter(join(elsewhere.path, 'link', 'nginx.conf'))).rejects.toThrow(me);
});

test('a dead socket is replaced', async () => {
  const { directory, conf, left } = await scratch();
  await using _ = directory;
  await deadSocket(join(directory.path, lockName));
  await using lock = await becomeSoleWriter(conf);
  expect(lock.unguarded).toBeUndefined();
  expect(await left()).toEqual([lockName]);
  await expect(becomeSoleWriter(conf)).rejects.toThrow(me);
});

test('one whose socket was replaced while it took over has lost, and leaves the other alone', async () => {
  const { directory, conf, left } = await scratch();
  await using _ = directory;
  const lockPath = join(directory.path, lockName);
  await deadSocket(lockPath);
  await using stack = new AsyncDisposableStack();
  const clock = virtualClock();
  // Whoever found the same dead socket, and was slower.
  const slower = async () => {
    stack.use(await holder(`${lockPath}-other`, (socket) => void socket.end('the other\n')));
    await rename(`${lockPath}-other`, lockPath);
  };
  const lost = becomeSoleWriter(conf, {
    ...clock,
    sleep: async (ms) => (ms === 100 ? slower() : new Promise(() => {})),
  });
  await expect(lost).rejects.toThrow('(the other)');
  expect(await left()).toEqual([lockName]);
});

test('a socket that was replaced is not removed by the one before', async () => {
  const { directory, conf, left } = await scratch();
  await using _ = directory;
  const first = await becomeSoleWriter(conf);
  await rm(join(directory.path, lockName));
  await using second = await becomeSoleWriter(conf);
  await first[Symbol.asyncDispose]();
  expect(second.unguarded).toBeUndefined();
  expect(await left()).toEqual([lockName]);
});

test('what the holder says is shown only as far as one line of a terminal can show it', async () => {
  const { directory, conf } = await scratch();
  await using _ = directory;
  const says = `\u001B[31m${'x'.repeat(100_000)}`;
  const endless = (socket: Socket) => void socket.write(says);
  await using stack = new AsyncDisposableStack();
  stack.use(await holder(join(directory.path, lockName), endless));
  const askedAt = performance.now();
  const refused = await becomeSoleWriter(conf).catch((error: unknown) => error);
  // No longer than until a line's worth has come.
  expect(performance.now() - askedAt).toBeLessThan(300);
  expect(refused).toBeInstanceOf(UsageError);
  expect(String(refused)).toMatch(/\(\uFFFD\[31mx{200,255}\): stop that one/);
});

test('a path that is too long for a socket is as good as a short one', async () => {
  const { directory } = await scratch();
  await using _ = directory;
  const deep = join(directory.path, 'd'.repeat(100), 'e'.repeat(100));
  await mkdir(deep, { recursive: true });
  const conf = join(deep, 'nginx.conf');
  const first = await becomeSoleWriter(conf);
  expect(first.unguarded).toBeUndefined();
  await expect(becomeSoleWriter(conf)).rejects.toThrow(me);
  expect(await readdir(deep)).toEqual([lockName]);
  await first[Symbol.asyncDispose]();
  expect(await readdir(deep)).toEqual([]);
  await deadSocket(join(directory.path, 'x'));
  await rename(join(directory.path, 'x'), join(deep, lockName));
  await using second = await becomeSoleWriter(conf);
  expect(second.unguarded).toBeUndefined();
});

test('where no socket can be made, that is said and nothing is refused', async () => {
  const { directory, conf, left } = await scratch();
  await using _ = directory;
  const nowhere = ['/proc/nginx.conf', join(directory.path, 'gone', 'nginx.conf')];
  for (const path of nowhere) {
    await using lock = await becomeSoleWriter(path);
    expect(lock.unguarded).toContain(`a second balancer for ${path} would not be noticed: `);
  }
  await writeFile(join(directory.path, lockName), '');
  await using lock = await becomeSoleWriter(conf);
  expect(lock.unguarded).toContain('is no socket: remove it');
  expect(await left()).toEqual([lockName]);
});

test('a directory that cannot be written in is said to be that', async () => {
  const { directory, conf, left } = await scratch();
  await using _ = directory;
  await chmod(directory.path, 0o555);
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid?.(65_534);
  try {
    await using lock = await becomeSoleWriter(conf);
    expect(lock.unguarded).toMatch(/would not be noticed: .*EACCES/);
  } finally {
    if (root) process.seteuid?.(0);
  }
  expect(await left()).toEqual([]);
});

test('a read-only file system is said to be that', async (context) => {
  const { directory, conf } = await scratch();
  await using _ = directory;
  const mount = (...args: string[]) => spawnSync('mount', [...args, directory.path]).status === 0;
  if (!mount('-t', 'tmpfs', '-o', 'ro', 'none')) context.skip('mounting is not allowed here');
  try {
    await using lock = await becomeSoleWriter(conf);
    expect(lock.unguarded).toMatch(/would not be noticed: .*(EROFS|read-only)/);
  } finally {
    spawnSync('umount', [directory.path]);
  }
});
