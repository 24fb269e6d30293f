/**
 * `npm run test:container-etcd`: the integration tests on etcd 3.5, in a container from testcontainers,
 * on a machine that may have neither an engine nor a way to pull images. A test that starts an etcd of
 * its own starts the very program of that container.
 *
 * An engine that answers is used as it is. Otherwise Docker is installed where it is missing (root
 * on Debian), and an engine of this run alone is started and ended with it. An image that cannot be
 * had is made of a packaged etcd 3.5. ROLLCALL_TEST_ETCD_IMAGE asks for another one.
 */
import { delimiter } from 'node:path';
import { takeProgram } from './image-program.ts';
import { useImage } from './image.ts';
import { runTests } from './run-tests.ts';

await runTests(async ({ host }) => {
  await using stack = new AsyncDisposableStack();
  const image = stack.use(await useImage(host));
  const { directory, version } = stack.use(await takeProgram(host, image.name));
  process.stderr.write(`etcd ${version} in a container: ${image.origin}\n`);
  const owned = stack.move();
  return {
    words: ['--project', 'integration'],
    env: {
      ...{ ROLLCALL_TEST_ETCD: 'container', ROLLCALL_TEST_ETCD_IMAGE: image.name },
      PATH: [directory, process.env['PATH']].filter(Boolean).join(delimiter),
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
});
