import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseStat } from '../../../src/balancer/nginx/master.ts';
import { parseChildren, readWorkers, roleOf } from '../../../src/balancer/nginx/workers.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test.each([
  ['nginx: worker process\0\0\0\0', 'serving'],
  ['nginx: worker process', 'serving'],
  ['nginx: worker process is shutting down\0', 'leaving'],
  ['nginx: master process nginx -c /etc/nginx.conf -g daemon off;\0', 'master'],
  ['nginx: cache manager process\0', 'other'],
  ['nginx: cache loader process\0', 'other'],
  ['nginx: privileged agent process\0', 'other'],
  // What has ended and is still to be reaped has no command line.
  ['', 'other'],
  // A program that is called so, and a title of a later nginx.
  ['/usr/bin/nginx: worker process\0', 'other'],
  ['nginx: worker process is something else\0', 'other'],
])('%j is of one that is %s', (cmdline, role) => {
  expect(roleOf(cmdline)).toBe(role);
});

test.each([
  ['', []],
  ['12 ', [12]],
  ['12 345 6 ', [12, 345, 6]],
])('the children %j are %j', (text, pids) => {
  expect(parseChildren(text)).toEqual(pids);
});

const after = `S ${Array.from({ length: 18 }, (_, at) => at + 4).join(' ')} 987654 23 24\n`;

test.each([
  [`7 (nginx) ${after}`, { name: 'nginx', startTicks: '987654' }],
  // A name is what the process likes to call itself.
  [`7 (a (b) c) ${after}`, { name: 'a (b) c', startTicks: '987654' }],
  [`7 (x) S 1 (nginx) ${after}`, { name: 'x) S 1 (nginx', startTicks: '987654' }],
  [`7 (two\nlines) ${after}`, { name: 'two\nlines', startTicks: '987654' }],
  ['7 (nginx) S 1 2', undefined],
  ['', undefined],
])('the process of %j is %j', (text, process) => {
  expect(parseStat(text)).toEqual(process);
});

test('without a pid file, with one that is a directory or names nobody, nothing is seen', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'nginx.pid');
  expect(await readWorkers(path)).toBeUndefined();
  await writeFile(path, '');
  expect(await readWorkers(path)).toBeUndefined();
  await writeFile(path, '4194304\n');
  expect(await readWorkers(path)).toBeUndefined();
  await mkdir(join(directory.path, 'one'));
  expect(await readWorkers(join(directory.path, 'one'))).toBeUndefined();
});

/** What is read of a process that goes by this name and title. */
async function readOf(name: string, title: string) {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'nginx.pid');
  const script = `process.title = ${JSON.stringify(title)}; require('fs').writeFileSync('/proc/self/comm', ${JSON.stringify(name)}); process.send(1); setTimeout(() => {}, 5000)`;
  const child = spawn(process.execPath, ['-e', script, 'x'.repeat(60)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  try {
    await once(child, 'message');
    await writeFile(path, `${child.pid}\n`);
    return { pid: child.pid, workers: await readWorkers(path) };
  } finally {
    child.kill('SIGKILL');
  }
}

test('another program that has the number by now is not seen as nginx', async () => {
  expect((await readOf('sleep', 'nginx: master process nginx')).workers).toBeUndefined();
});

test('the number of a worker is none of a master', async () => {
  expect((await readOf('nginx', 'nginx: worker process')).workers).toBeUndefined();
});

test('a master without workers is seen, with none', async () => {
  const { pid, workers } = await readOf('nginx', 'nginx: master process nginx');
  expect(workers).toEqual({
    master: expect.stringMatching(new RegExp(`^${pid}@\\d+$`)),
    serving: [],
    leaving: [],
  });
});
