/** The second Compose file: the balancer reloads nginx by the engine's socket. */
import { stat } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { planStack, type Stack } from '../../scripts/deploy/stack.ts';

const stack = new AsyncDisposableStack();
let site: Stack;

beforeAll(async () => {
  const socket = (process.env['DOCKER_HOST'] ?? '').replace(/^unix:\/\//, '');
  const { gid } = await stat(socket);
  site = stack.use(
    await planStack({
      files: ['docker/compose.yaml', 'docker/compose.docker-socket.yaml'],
      env: { DOCKER_SOCKET: socket, DOCKER_GID: String(gid) },
    }),
  );
  await site.up();
});
afterAll(() => stack.disposeAsync());

test('a change arrives in an nginx that runs on', async () => {
  const before = await site.runOf('nginx');
  expect(await site.bodies()).toEqual(['apache-8001', 'apache-8002']);
  // Ends once the balancer has proven that nginx sends its apache nothing new.
  await site.compose('stop', 'watchdog-8001');
  expect(await site.bodies()).toEqual(['apache-8002']);
  await site.up('watchdog-8001');
  expect(await site.bodies()).toEqual(['apache-8001', 'apache-8002']);
  expect(await site.runOf('nginx')).toEqual(before);
});

test.each(['balancer', 'nginx'])('restart %s: the other runs on', async (restarted) => {
  const other = restarted === 'nginx' ? 'balancer' : 'nginx';
  const before = await site.runOf(other);
  await site.compose('restart', restarted);
  await site.untilReady('balancer');
  expect(await site.runOf(other)).toEqual(before);
  expect(await site.bodies()).toEqual(['apache-8001', 'apache-8002']);
});
