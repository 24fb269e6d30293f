/** The images as an engine runs them: without root, without a shell, without anything to write to. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { docker } from '../../scripts/container-etcd/docker.ts';
import { imagesOfRun } from '../../scripts/deploy/images.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';

const images = imagesOfRun();
const call = (...words: readonly string[]) =>
  docker({ host: process.env['DOCKER_HOST'], withinMs: 30_000 }, ...words);

const confined = [
  ...['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--tmpfs', '/tmp'],
];
const stack = new AsyncDisposableStack();
let network: string;
beforeAll(async () => {
  network = `rollcall-test-${randomUUID()}`;
  await call('network', 'create', network);
  stack.defer(async () => void (await call('network', 'rm', network)));
  await start('etcd', [images.etcd, 'etcd', ...etcdFlags]);
  await start('apache', [images.httpd]);
});
afterAll(() => stack.disposeAsync());

const etcdFlags = [
  ...['--data-dir', '/tmp/etcd', '--listen-client-urls', 'http://0.0.0.0:2379'],
  ...['--advertise-client-urls', 'http://etcd:2379'],
];

/** Gone at the end of the file. */
async function start(alias: string, words: readonly string[]): Promise<string> {
  const name = `rollcall-test-${randomUUID()}`;
  stack.defer(async () => void (await call('rm', '--force', '--volumes', name)));
  await call(
    'run',
    '--detach',
    '--name',
    name,
    '--network',
    network,
    '--network-alias',
    alias,
    ...words,
  );
  return name;
}

const inspect = async (name: string, format: string) =>
  await call('inspect', '--format', format, name);

/** What a container that ends by itself prints, and how it ended. */
async function runToEnd(...words: readonly string[]) {
  const name = await start('any', words);
  const status = await call('wait', name);
  return { status, text: await logsOf(name) };
}
/** docker gives each stream back on its own. */
const logsOf = async (name: string) => {
  const { stdout, stderr } = await promisify(execFile)('docker', ['logs', name]);
  return stdout + stderr;
};

const kinds = [
  {
    kind: 'watchdog' as const,
    user: '65532:65532',
    flags: [
      ...['--etcd', 'http://etcd:2379', '--key', '/test/one', '--address', '127.0.0.1:80'],
      ...['--probe', 'http://apache/'],
    ],
    mounts: [],
  },
  {
    kind: 'balancer' as const,
    user: '101:101',
    flags: [
      ...['--etcd', 'http://etcd:2379', '--prefix', '/test', '--reload', 'exec:true'],
      ...['--nginx-pid', '/tmp/nginx.pid', '--nginx-temp', '/tmp', '--error-log', 'stderr'],
      ...['--access-log', 'off'],
    ],
    mounts: ['--volume', '/etc/nginx'],
  },
];

describe.each(kinds)('the image of the $kind', ({ kind, user, flags, mounts }) => {
  const image = images[kind];

  test('tells what it is, and runs as nobody in particular', async () => {
    const labels = JSON.parse(await inspect(image, '{{json .Config.Labels}}')) as object;
    const { version, license } = JSON.parse(await readFile('package.json', 'utf8')) as {
      readonly version: string;
      readonly license: string;
    };
    expect(labels).toMatchObject({
      'org.opencontainers.image.title': `rollcall ${kind}`,
      'org.opencontainers.image.description': expect.stringMatching(/\w+/),
      'org.opencontainers.image.version': version,
      'org.opencontainers.image.licenses': license,
    });
    expect(await inspect(image, '{{.Config.User}} {{.Config.StopSignal}}')).toBe(`${user} SIGTERM`);
  });

  test('with no options it prints its help and ends with 2', async () => {
    const { status, text } = await runToEnd(...confined, image);
    expect(status).toBe('2');
    expect(text).toContain(`Usage: rollcall ${kind}`);
  });

  test('confined it runs, becomes healthy, answers for itself, and stops in time', async () => {
    const name = await start('any', [
      ...confined,
      ...mounts,
      '--health-interval',
      '1s',
      image,
      ...flags,
    ]);
    await waitUntil({ expected: 'healthy', withinMs: 20_000, everyMs: 100 }, async () => {
      const seen = await inspect(name, '{{.State.Status}} {{.State.Health.Status}}');
      return seen === 'running healthy' || `${seen}: ${await logsOf(name)}`;
    });
    expect(await call('exec', name, 'rollcall', '--version')).toMatch(/^rollcall \d/);
    const pid = await inspect(name, '{{.State.Pid}}');
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const [uid = ''] = user.split(':');
    expect(status).toMatch(new RegExp(String.raw`^Uid:(\s+${uid}){4}$`, 'm'));
    expect(status).toMatch(/^CapEff:\s+0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);

    const began = performance.now();
    await call('stop', '--time', '20', name);
    // Well before the engine would have killed it.
    expect(performance.now() - began).toBeLessThan(15_000);
    expect(await inspect(name, '{{.State.ExitCode}}')).toBe('0');
  });

  test('holds the licences of what it is made of', async () => {
    await using directory = await copyOut(image, '/usr/local/lib/rollcall');
    for (const file of ['LICENSE', 'THIRD-PARTY-LICENCES']) {
      expect((await stat(join(directory.path, file))).size).toBeGreaterThan(500);
    }
  });
});

async function copyOut(image: string, path: string) {
  const directory = await mkdtemp(join(tmpdir(), 'rollcall-image-'));
  const name = `rollcall-test-${randomUUID()}`;
  await call('create', '--name', name, image);
  await call('cp', `${name}:${path}`, join(directory, 'out'));
  await call('rm', name);
  return {
    path: join(directory, 'out'),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

test('the watchdog has no shell, and little beside Node', async () => {
  for (const shell of ['/bin/sh', '/bin/bash', '/usr/bin/sh', '/bin/busybox']) {
    await expect(call('run', '--rm', '--entrypoint', shell, images.watchdog)).rejects.toThrow(
      /no such file or directory/,
    );
  }
  await using node = await copyOut(images.watchdog, '/usr/local/bin/node');
  await using bundle = await copyOut(images.watchdog, '/usr/local/lib/rollcall/leases.js');
  const needed = (await stat(node.path)).size + (await stat(bundle.path)).size;
  const size = Number(await inspect(images.watchdog, '{{.Size}}'));
  process.stdout.write(
    `watchdog's image: ${(size / 1e6).toFixed(0)} MB, ${(size / needed).toFixed(2)} of its Node and bundle\n`,
  );
  // The libraries, the rest of the bundle and an account.
  expect(size / needed).toBeLessThan(1.1);
});

test('the balancer adds to the image of nginx little beside Node', async () => {
  await using node = await copyOut(images.balancer, '/usr/local/bin/node');
  const [own, base] = await Promise.all(
    [images.balancer, images.nginx].map(async (image) => Number(await inspect(image, '{{.Size}}'))),
  );
  const ratio = ((own ?? 0) - (base ?? 0)) / (await stat(node.path)).size;
  process.stdout.write(`balancer's image: nginx's and ${ratio.toFixed(2)} of its Node\n`);
  expect(ratio).toBeLessThan(1.1);
});
