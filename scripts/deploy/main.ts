/**
 * `npm run test:deploy`: what an operator deploys, on the real thing. An engine, the images that the
 * deployment stands on, those of this checkout and Docker Compose are had first, whatever of them the
 * machine lacks. The images stay in an engine that was there before: the next run is quicker by them.
 */
import { runTests } from '../container-etcd/run-tests.ts';
import { useBases } from './bases.ts';
import { letBridgedTalk } from './bridged.ts';
import { buildImages } from './build.ts';
import { clientWithBuildKit } from './client.ts';
import { useCompose } from './compose.ts';
import { built, type Images } from './images.ts';

await runTests(async ({ host }) => {
  if (process.getuid?.() !== 0) {
    throw new Error('root is needed: the tests kill what runs in containers, as no engine does');
  }
  await using stack = new AsyncDisposableStack();
  const wasThere = host === (process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock');
  if (!wasThere) stack.use(await letBridgedTalk());
  const client = await clientWithBuildKit(host);
  const { node, ...bases } = await useBases(host, client);
  await buildImages(client, { node, ...bases });
  const compose = stack.use(await useCompose());
  const images: Images = { ...bases, ...built };
  const owned = stack.move();
  return {
    words: ['--config', 'scripts/deploy/vitest.config.ts', '--root', '.'],
    env: { ...compose.env, ROLLCALL_TEST_IMAGES: JSON.stringify(images) },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
});
