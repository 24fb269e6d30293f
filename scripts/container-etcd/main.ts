/**
 * `npm run test:container-etcd`: the integration tests with an etcd from testcontainers, on a
 * machine that may have neither an engine nor a way to pull images.
 *
 * An engine that answers is used as it is. Otherwise Docker is installed where it is missing (root
 * on Debian), and an engine of this run alone is started and ended with it. An image that cannot be
 * had is made of the installed etcd.
 */
import { useImage } from './image.ts';
import { runTests } from './run-tests.ts';

await runTests(async (engine) => {
  const image = await useImage(engine.host);
  process.stderr.write(`image: ${image.origin}\n`);
  return {
    words: ['--project', 'integration'],
    env: { ROLLCALL_TEST_ETCD: 'container', ROLLCALL_TEST_ETCD_IMAGE: image.name },
    [Symbol.asyncDispose]: () => image[Symbol.asyncDispose](),
  };
});
