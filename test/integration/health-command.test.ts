/** `rollcall health`, as it ships, beside a process that does well, does not, or is not there. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { startApache } from '../../scripts/parts/apache.ts';
import { freePort } from '../../scripts/parts/ports.ts';
import { startWatchdog } from '../../scripts/parts/rollcall.ts';
import { makeScratch } from '../../scripts/parts/scratch.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { runCli } from '../support/cli.ts';
import { httpServer } from '../support/local-server.ts';
import { openKeys } from '../support/keys.ts';

const ok = { status: 0, stdout: 'ok\n', stderr: '' };

test('a watchdog turns, and does its duty while its apache answers', async () => {
  using keys = await openKeys(inject('etcdUrl'));
  await using apache = await startApache();
  const port = await freePort();
  await using watchdog = await startWatchdog({
    ...{ etcd: inject('etcdUrl'), key: keys.key('apache'), address: apache.address },
    ...{ interval: '100ms', 'fast-interval': '50ms', admin: `0.0.0.0:${port}` },
  });
  expect(watchdog.pid).toBeGreaterThan(0);
  const env = { ROLLCALL_ADMIN: `0.0.0.0:${port}` };
  const health = (...words: string[]) => runCli(['health', ...words], { env });
  await waitUntil({ expected: 'it to be ready', withinMs: 10_000 }, async () => {
    const { status, stderr } = await health('--ready');
    return status === 0 || stderr;
  });
  expect(await health()).toEqual(ok);
  expect(await health('--ready')).toEqual(ok);

  await apache.freeze();
  await waitUntil({ expected: 'it to be unready', withinMs: 10_000 }, async () => {
    return (await health('--ready')).status === 1 || 'still ready';
  });
  expect(await health('--ready')).toMatchObject({ status: 1, stdout: '' });
  expect(await health()).toEqual(ok);
});

test('nobody there, and somebody who does not answer in time: 1, and why', async () => {
  const nobody = `127.0.0.1:${await freePort()}`;
  expect(await runCli(['health', '--admin', nobody])).toMatchObject({
    ...{ status: 1, stdout: '', stderr: expect.stringMatching(/^rollcall: .*ECONNREFUSED.*\n$/) },
  });
  await using silent = await httpServer(() => {});
  const { host } = new URL(silent.url);
  const late = await runCli(['health', '--admin', host, '--timeout', '100ms']);
  expect(late).toMatchObject({ status: 1, stderr: `rollcall: ${host}: no answer within 100 ms\n` });
});

test('it has to be said whom to ask', async () => {
  expect(await runCli(['health'])).toMatchObject({
    ...{ status: 2, stderr: expect.stringMatching(/--admin HOST:PORT.*ROLLCALL_ADMIN.*\n$/) },
  });
});

test('it loads next to nothing: an engine runs it every few seconds', async () => {
  await using server = await httpServer((_request, response) => response.end('ok\n'));
  await using scratch = await makeScratch('health');
  const [hook, list] = [join(scratch.path, 'hook.cjs'), join(scratch.path, 'loaded.json')];
  const loaded = '[Object.keys(require.cache), process.moduleLoadList]';
  const write = `require('node:fs').writeFileSync(${JSON.stringify(list)}, JSON.stringify(${loaded}))`;
  await writeFile(hook, `process.on('exit', () => ${write})`);
  const env = { NODE_OPTIONS: `--require ${hook}`, ROLLCALL_ADMIN: new URL(server.url).host };
  expect(await runCli(['health'], { env })).toEqual(ok);

  const [files, builtIn] = JSON.parse(await readFile(list, 'utf8')) as [string[], string[]];
  const texts = await Promise.all(files.map((path) => readFile(path, 'utf8')));
  expect(files.filter((path) => path.endsWith('/health.js'))).toHaveLength(1);
  // Most of it is the parser of the command line. The log or the client of etcd are 600 KB more.
  expect(texts.join('').length).toBeLessThan(150_000);
  expect(builtIn.filter((name) => name.includes('undici'))).toEqual([]);
});
