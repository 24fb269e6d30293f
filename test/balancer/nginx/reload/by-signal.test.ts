import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { reloadBySignal } from '../../../../src/balancer/nginx/reload/by-signal.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

async function pidFileWith(text: string | undefined) {
  const directory = await temporaryDirectory();
  const path = join(directory.path, 'nginx.pid');
  if (text !== undefined) await writeFile(path, text);
  return { directory, path };
}

test('the process of the pid file gets SIGHUP, if it is an nginx', async () => {
  const { directory, path } = await pidFileWith(undefined);
  await using _ = directory;
  // Any program by that name will do.
  const nginx = join(directory.path, 'nginx');
  const sleep = spawnSync('sh', ['-c', 'command -v sleep'], { encoding: 'utf8' }).stdout.trim();
  await copyFile(sleep, nginx);
  const child = spawn(nginx, ['5'], { stdio: 'ignore' });
  await once(child, 'spawn');
  const ended = once(child, 'exit');
  await writeFile(path, `${child.pid}\n`);
  expect(await reloadBySignal(path)).toBeUndefined();
  expect(await ended).toEqual([null, 'SIGHUP']);
  expect(await reloadBySignal(path)).toContain(`names process ${child.pid}`);
});

test('another program that has the number by now gets nothing', async () => {
  const { directory, path } = await pidFileWith(undefined);
  await using _ = directory;
  const child = spawn('sleep', ['5'], { stdio: 'ignore' });
  await once(child, 'spawn');
  try {
    await writeFile(path, `${child.pid}\n`);
    expect(await reloadBySignal(path)).toMatch(/^nginx is not running: .* is "sleep"$/);
    expect(child.exitCode ?? child.signalCode).toBeNull();
  } finally {
    child.kill('SIGKILL');
  }
});

test.each([undefined, '', '\n', '0\n', '1\n', '-5\n', 'nginx\n', '12 13\n'])(
  'a pid file with %j means that nginx is not running',
  async (text) => {
    const { directory, path } = await pidFileWith(text);
    await using _ = directory;
    expect(await reloadBySignal(path)).toMatch(/^nginx is not running: /);
  },
);

test('a pid file that cannot be read is told as that', async () => {
  const { directory, path } = await pidFileWith(undefined);
  await using _ = directory;
  await mkdir(path);
  expect(await reloadBySignal(path)).toMatch(/^cannot read .*EISDIR/);
});
