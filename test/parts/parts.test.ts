import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Apache, startApache } from '../../scripts/parts/apache.ts';
import { startEtcd } from '../../scripts/parts/etcd.ts';
import { httpGet } from '../../scripts/parts/http-get.ts';
import { startNginx } from '../../scripts/parts/nginx.ts';
import { freePort } from '../../scripts/parts/ports.ts';
import { makeScratch } from '../../scripts/parts/scratch.ts';
import { pidsOfGroup } from './processes.ts';

test('apache: 500 and back, frozen and resumed, killed and started again, stopped, gone', async () => {
  let pid: number;
  {
    await using apache = await startApache();
    pid = apache.pid ?? 0;
    expect((await httpGet(`${apache.url}any/path`, 1000)).body).toContain(`apache-${apache.port}`);

    await apache.failing(true);
    expect(await statusOf(apache)).toBe(500);
    await apache.failing(false);
    expect(await statusOf(apache)).toBe(200);

    await apache.freeze();
    await expect(statusOf(apache)).rejects.toThrow('no answer within 300 ms');
    apache.resume();
    expect(await statusOf(apache)).toBe(200);

    expect((await pidsOfGroup(pid)).length).toBeGreaterThan(1);
    await apache.kill();
    expect(await pidsOfGroup(pid)).toEqual([]);
    expect(apache.pid).toBeUndefined();
    await expect(statusOf(apache)).rejects.toThrow('ECONNREFUSED');

    await apache.start();
    expect(await statusOf(apache)).toBe(200);
    expect((await apache.stop()).code).toBe(0);
    await apache.start();
    await apache.freeze();
    pid = apache.pid ?? 0;
  }
  expect(await pidsOfGroup(pid)).toEqual([]);
});

test('etcd: keeps its data over a kill, loses it by a wipe, leaves no directory', async () => {
  await using scratch = await makeScratch('parts-test');
  const dataDir = join(scratch.path, 'data');
  await using etcd = await startEtcd({ dataDir });
  expect(etcd.version).toMatch(/^\d+\.\d+\.\d+$/);
  const revisionAtFirst = await revision(etcd.url);
  await put(etcd.url);
  expect(await revision(etcd.url)).toBe(revisionAtFirst + 1);

  await etcd.freeze();
  await expect(httpGet(`${etcd.url}/health`, 300)).rejects.toThrow('no answer within 300 ms');
  etcd.resume();

  await etcd.kill();
  await expect(httpGet(`${etcd.url}/health`, 300)).rejects.toThrow('ECONNREFUSED');
  await expect(etcd.freeze()).rejects.toThrow('does not run');
  await etcd.start();
  expect(await revision(etcd.url)).toBe(revisionAtFirst + 1);

  await etcd.stop();
  await etcd.wipe();
  await etcd.start();
  expect(await revision(etcd.url)).toBe(revisionAtFirst);
});

test('nginx: starts on a file, is killed with its workers and starts again', async () => {
  await using scratch = await makeScratch('parts-test');
  const port = await freePort();
  const conf = join(scratch.path, 'nginx.conf');
  await writeFile(conf, nginxConf(scratch.path, port));
  await using nginx = await startNginx({ conf, url: `http://127.0.0.1:${port}/` });
  const pid = nginx.pid ?? 0;
  await nginx.freeze();
  await expect(httpGet(`http://127.0.0.1:${port}/`, 300)).rejects.toThrow('no answer');
  await nginx.kill();
  expect(await pidsOfGroup(pid)).toEqual([]);
  await nginx.start();
  expect((await httpGet(`http://127.0.0.1:${port}/`, 300)).body).toBe('here');
});

test('a program that cannot start says why', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'rollcall-parts-test-'));
  const conf = join(directory, 'nginx.conf');
  await writeFile(conf, 'nonsense;\n');
  await expect(startNginx({ conf, url: 'http://127.0.0.1:1/' })).rejects.toThrow(
    /unknown directive "nonsense"/,
  );
  await rm(directory, { recursive: true });
  expect(existsSync(directory)).toBe(false);
});

async function statusOf(apache: Apache): Promise<number> {
  return (await httpGet(apache.url, 300)).status;
}

async function revision(url: string): Promise<number> {
  const answer = await post(url, 'range', { key: btoa('/') });
  return Number(answer.header.revision);
}

async function put(url: string): Promise<void> {
  await post(url, 'put', { key: btoa('/test/a'), value: btoa('127.0.0.1:1') });
}

async function post(url: string, call: string, body: object) {
  const response = await fetch(`${url}/v3/kv/${call}`, {
    method: 'POST',
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(2000),
  });
  return (await response.json()) as { header: { revision: string } };
}

function nginxConf(home: string, port: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
pid ${home}/nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${home}/${name};`).join(' ')}
  server { listen 127.0.0.1:${port}; location / { return 200 here; } }
}
`;
}
