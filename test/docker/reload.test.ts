/**
 * `--reload docker:CONTAINER` on a real engine: an nginx in a container takes each change without
 * being started again, and whatever is wrong with container or engine is told and outlived.
 */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { docker } from '../../scripts/container-etcd/docker.ts';
import { type Etcd, startEtcd } from '../../scripts/parts/etcd.ts';
import { httpGet } from '../../scripts/parts/http-get.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { type ContainerSite, startContainerSite } from '../support/container-site.ts';
import { type NamedBackend, startNamedBackend } from '../support/named-backend.ts';
import { untilConfirmed } from '../support/nginx-site.ts';

/** Only new answers for so long are taken to mean that the old workers take no more requests. */
const overlapMs = 300;
const calledWithinMs = 10_000;

let etcdUrl: string;
let one: NamedBackend;
let two: NamedBackend;
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  const etcd: Etcd = stack.use(await startEtcd());
  etcdUrl = etcd.url;
  one = stack.use(await startNamedBackend('one'));
  two = stack.use(await startNamedBackend('two'));
});
afterAll(() => stack.disposeAsync());

const untilServed = ({ balancer }: Pick<ContainerSite, 'balancer'>, ...names: readonly string[]) =>
  untilConfirmed(balancer, `just ${names.join(' and ')}`, ({ backends }) => {
    const served = backends.map(({ key }) => key.split('/').at(-1) ?? '');
    return served.toSorted().join() === names.join();
  });

/** Which backends answer through nginx. */
async function answering({ site }: ContainerSite): Promise<readonly string[]> {
  const bodies = new Set<string>();
  for (let n = 0; n < 50; n += 1) bodies.add((await httpGet(site.url, 1000)).body);
  return [...bodies].toSorted();
}

/** Every signal that the container got by way of its engine since then. */
async function signalsSince(atMs: number, container: string): Promise<readonly string[]> {
  const until = String(Date.now() / 1000);
  const events = await docker(
    { host: process.env['DOCKER_HOST'], withinMs: calledWithinMs },
    ...['events', '--since', String(atMs / 1000), '--until', until],
    ...['--filter', `container=${container}`, '--filter', 'event=kill'],
    ...['--format', '{{.Actor.Attributes.signal}}'],
  );
  return events.split('\n').filter(Boolean);
}

test('each change reaches nginx by one request on the socket, and the container runs on', async () => {
  await using world = await startContainerSite({ etcdUrl, backends: { one: one.address } });
  const { keys, container, socket } = world;
  const before = { run: await container.run(), asked: socket.asked.length, atMs: Date.now() };
  await keys.put('two', two.address);
  await untilServed(world, 'one', 'two');
  expect(await answering(world)).toEqual(['one', 'two']);
  await keys.remove('one');
  const { generation } = await untilServed(world, 'two');
  expect(await answering(world)).toEqual(['two']);
  expect(generation.running).toBe(await world.site.served());

  expect(await container.run()).toEqual(before.run);
  const line = `POST /containers/${container.name}/kill?signal=HUP HTTP/1.1`;
  const asked = socket.asked.slice(before.asked);
  expect(asked.map((request) => request.line)).toEqual([line, line]);
  // Nobody else told it anything: a docker client would have gone past the socket of the test.
  expect(await signalsSince(before.atMs, container.name)).toEqual(['1', '1']);
});

test.each([
  { balancer: 'on the host', pidFile: /^1$/ },
  { balancer: 'with process numbers of its own', pidFile: /^1$/, ownNumbers: true },
  { balancer: 'on the host, nginx below an init', pidFile: /^[2-9]\d*$|^1\d+$/, init: true },
])(
  'the pid file names no process here, and a change is confirmed by time: $balancer',
  async ({ pidFile, ...plan }) => {
    const backends = { one: one.address, two: two.address };
    await using world = await startContainerSite({ etcdUrl, backends, ...plan });
    const { keys, site, socket, balancer, container } = world;
    // nginx is a process of this machine, by another number than the one that it knows itself.
    expect((await readFile(site.home.pidFile, 'utf8')).trim()).toMatch(pidFile);
    const { pid } = await container.run();
    expect(await readFile(`/proc/${pid}/cmdline`, 'utf8')).toContain('nginx');

    await keys.remove('one');
    const { generation } = await untilServed(world, 'two');
    // Only 'two' from here on: an old worker that still took requests would answer 'one' to some.
    expect(await answering(world)).toEqual(['two']);
    expect(generation.living).toBeNull();
    const confirmed = balancer.log.findLast(({ msg }) => msg === 'generation confirmed');
    expect(confirmed).toMatchObject({ generation: generation.wanted });
    const tookMs = Date.parse(confirmed?.time ?? '') - (socket.asked.at(-1)?.atMs ?? 0);
    expect(tookMs).toBeGreaterThanOrEqual(overlapMs);
  },
);

test('a container that is missing or not running is told in the words of the engine', async () => {
  const backends = { one: one.address };
  await using world = await startContainerSite({ etcdUrl, backends, container: 'none' });
  const { container, socket, untilTrouble } = world;
  await untilTrouble(new RegExp(`docker answers 404: .*No such container: ${container.name}$`));
  await waitUntil({ expected: 'another attempt', withinMs: 5000 }, () => {
    return socket.asked.length >= 2 || `${socket.asked.length} requests`;
  });
  await container.create();
  await untilTrouble(/docker answers 409: .*[0-9a-f]{64} is not running$/);

  // Nothing changes in etcd: nginx's own answer is enough.
  await container.call('start');
  expect((await untilServed(world, 'one')).trouble).toBeNull();
  expect(await answering(world)).toEqual(['one']);
});

test('a change while the container is stopped is there when it is started', async () => {
  await using world = await startContainerSite({ etcdUrl, backends: { one: one.address } });
  const { keys, container, untilTrouble } = world;
  await container.call('stop');
  await keys.put('two', two.address);
  await untilTrouble(/docker answers 409: .* is not running$/);
  await container.call('start');
  expect((await untilServed(world, 'one', 'two')).trouble).toBeNull();
  expect(await answering(world)).toEqual(['one', 'two']);
});

test('an engine that is away is told; once it is back nginx is reloaded without an event', async () => {
  await using world = await startContainerSite({ etcdUrl, backends: { one: one.address } });
  const { keys, site, socket, container, untilTrouble } = world;
  const before = { run: await container.run(), served: await site.served() };
  await socket.desert();
  await keys.put('two', two.address);
  await untilTrouble(/docker at \/var\/run\/docker\.sock: connect ECONNREFUSED/);
  await socket.remove();
  await untilTrouble(/docker at \/var\/run\/docker\.sock: connect ENOENT/);
  expect(await site.served()).toBe(before.served);
  const asked = socket.asked.length;

  await socket.open();
  expect((await untilServed(world, 'one', 'two')).trouble).toBeNull();
  expect(socket.asked.length).toBe(asked + 1);
  expect(await container.run()).toEqual(before.run);
});

test('a container that is paused has its deadline, and takes the change when it goes on', async () => {
  await using world = await startContainerSite({ etcdUrl, backends: { one: one.address } });
  const { keys, container, untilTrouble } = world;
  const before = await container.run();
  await container.call('pause');
  await keys.put('two', two.address);
  await untilTrouble(/nginx did not serve \w+ within 5000 ms of its reload: .*no answer within/);
  await container.call('unpause');
  expect((await untilServed(world, 'one', 'two')).trouble).toBeNull();
  expect(await answering(world)).toEqual(['one', 'two']);
  expect(await container.run()).toEqual(before);
});
