/**
 * `npm run test:docker`: the compiled balancer, which reloads an nginx in a container by the
 * engine's socket.
 */
import { runTests } from '../container-etcd/run-tests.ts';
import { makeNginxImage } from './image.ts';

await runTests(async (engine) => {
  if (process.getuid?.() !== 0) {
    throw new Error(
      'root is needed: the balancer gets a /var/run of its own, with the socket in it',
    );
  }
  const image = await makeNginxImage(engine.host);
  return {
    words: ['--config', 'scripts/docker/vitest.config.ts', '--root', '.'],
    env: { ROLLCALL_TEST_NGINX_IMAGE: image.name },
    [Symbol.asyncDispose]: () => image[Symbol.asyncDispose](),
  };
});
