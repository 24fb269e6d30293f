/** The Compose file where something is in the way, and what is left of it at the end. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { docker } from '../../scripts/container-etcd/docker.ts';
import { imagesOfRun } from '../../scripts/deploy/images.ts';
import { planStack, type Stack } from '../../scripts/deploy/stack.ts';
import { httpGet } from '../../scripts/parts/http-get.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';

const call = (...words: readonly string[]) =>
  docker({ host: process.env['DOCKER_HOST'], withinMs: 20_000 }, ...words);

const label = (name: string, value: string) => ['--label', `com.docker.compose.${name}=${value}`];

const leftOf = async ({ project }: Stack): Promise<string> => {
  const filter = `label=com.docker.compose.project=${project}`;
  const left = [
    await call('ps', '--all', '--quiet', '--filter', filter),
    await call('network', 'ls', '--quiet', '--filter', filter),
    await call('volume', 'ls', '--quiet', '--filter', filter),
  ];
  return left.join('');
};

const untilAnswered = (site: Stack, status: number) =>
  waitUntil({ expected: `status ${status}`, withinMs: 40_000, everyMs: 200 }, () =>
    httpGet(site.url, 2000).then(
      (answer) => answer.status === status || String(answer.status),
      String,
    ),
  );

test('a port that is taken is named; once it is free the same command goes on; down leaves nothing', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await using site = await planStack({ env: { HTTP_PORT: String(port) } });
  try {
    await expect(site.up()).rejects.toThrow(new RegExp(`${port}.*address already in use`));
  } finally {
    server.close();
    await once(server, 'close');
  }
  await site.up();
  await untilAnswered(site, 200);
  expect(await leftOf(site)).not.toBe('');
  await site.compose('down', '--volumes');
  expect(await leftOf(site)).toBe('');
});

test('a volume that holds something else is refused in one line, and stays as it is', async () => {
  await using site = await planStack();
  const volume = `${site.project}_nginx-config`;
  const { balancer } = imagesOfRun();
  await call(
    ...['volume', 'create', ...label('project', site.project)],
    ...[...label('volume', 'nginx-config'), volume],
  );
  const inVolume = (script: string) =>
    call(
      ...['run', '--rm', '--user', '0', '--entrypoint', '/bin/sh'],
      ...['--volume', `${volume}:/there:nocopy`, balancer, '-c', script],
    );
  await inVolume('echo mine >/there/data; chown -R 101:101 /there');
  const look = 'ls -ldn --time-style=full-iso /there /there/*; cat /there/data';
  const before = await inVolume(look);

  await expect(site.up()).rejects.toThrow(/nginx-config.*exit 2/);
  const logs = await site.compose('logs', '--no-log-prefix', '--no-color', 'nginx-config');
  const said = logs.split('\n').filter((line) => line.includes('rollcall'));
  expect(said).toEqual([expect.stringMatching(/holds data and no configuration of nginx/)]);
  expect(await inVolume(look)).toBe(before);
});

test('without etcd nginx answers 503; when it comes, all is well with no hand', async () => {
  await using site = await planStack();
  await site.compose('up', '--detach', '--no-build', '--scale', 'etcd=0');
  await untilAnswered(site, 503);
  await site.compose('up', '--detach', '--no-build', '--no-recreate', 'etcd');
  await untilAnswered(site, 200);
  await site.untilReady('balancer');
  await site.untilReady('watchdog-8001');
  await site.untilReady('watchdog-8002');
  expect(await site.keys()).toHaveLength(2);
});
