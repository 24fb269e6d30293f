import { join } from 'node:path';
import { expect, test } from 'vitest';
import { reloadByDocker } from '../../../../src/balancer/nginx/reload/by-docker.ts';
import { systemClock } from '../../../../src/lib/clock.ts';
import { httpServer } from '../../../support/local-server.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';
import { never, virtualClock } from '../../../support/virtual-clock.ts';

/** An engine that gives one answer, asked to reload a container. */
async function askEngine(container: string, status: number, body = '') {
  await using directory = await temporaryDirectory();
  const socket = join(directory.path, 'docker.sock');
  const asked: string[] = [];
  await using _ = await httpServer(({ method, url }, response) => {
    asked.push(`${method} ${url}`);
    response.writeHead(status).end(body);
  }, socket);
  return { reason: await reloadByDocker(container, systemClock, never, socket), asked };
}

test('the engine is asked to send SIGHUP to the container', async () => {
  const { reason, asked } = await askEngine('nginx', 204);
  expect(reason).toBeUndefined();
  expect(asked).toEqual(['POST /containers/nginx/kill?signal=HUP']);
});

test('a refusal comes in the engine’s own words', async () => {
  const body = String.raw`{"message":"No such container: \"nginx\""}`;
  const { reason } = await askEngine('nginx', 404, body);
  expect(reason).toBe('docker answers 404: No such container: "nginx"');
});

test('an answer that is not the engine’s is shown as it is', async () => {
  expect((await askEngine('nginx', 502, 'Bad gateway\n')).reason).toBe(
    'docker answers 502: Bad gateway',
  );
});

test('no engine is told with the socket that was tried', async () => {
  await using directory = await temporaryDirectory();
  const socket = join(directory.path, 'docker.sock');
  const reason = await reloadByDocker('nginx', systemClock, never, socket);
  expect(reason).toContain(`docker at ${socket}: connect ENOENT`);
});

test('an engine that hangs is left after its time', async () => {
  await using directory = await temporaryDirectory();
  const socket = join(directory.path, 'docker.sock');
  await using _ = await httpServer(() => {}, socket);
  const clock = virtualClock();
  const asked = reloadByDocker('nginx', clock, never, socket);
  await clock.advance(5000);
  expect(await asked).toContain('docker kill nginx: no answer within 5000 ms');
});
