/**
 * Runs the asked command in a container that has the programs this machine lacks.
 *
 * The image takes a copy of the checkout, so the host's node_modules and dist stay untouched and a
 * remote engine will do. Two things are kept for the next time: the image and a volume with the
 * Node packages, both named rollcall-dev.
 */
import { createServer } from 'node:net';
import { step } from './step.mjs';
import { handOver } from './hand-over.mjs';

const NAME = 'rollcall-dev';
const PASSED_ON = /^(CI|NO_COLOR|FORCE_COLOR|TERM|ROLLCALL_\w+)$/;
const EXTRA_CA = '/etc/ssl/certs/extra-ca.crt';
const DEMO_PORT = 8080;
const FORWARDED_PORT = 18_080;

/**
 * @param {string} task
 * @param {readonly string[]} args
 * @returns {Promise<number>} the exit status
 */
export async function runInContainer(task, args) {
  const base = process.env['ROLLCALL_DEV_BASE'];
  await step('making a container image with the programs that are missing here', 'docker', [
    ...['build', '--file', 'docker/dev.Dockerfile', '--tag', NAME],
    ...(base ? ['--build-arg', `BASE=${base}`] : []),
    '.',
  ]);
  const terminal = process.stdin.isTTY && process.stdout.isTTY;
  const ca = process.env['NODE_EXTRA_CA_CERTS'];
  return handOver(
    'docker',
    [
      ...['run', '--rm', '--init', ...(terminal ? ['--interactive', '--tty'] : [])],
      ...['--volume', `${NAME}:/rollcall/node_modules`],
      ...(ca
        ? ['--volume', `${ca}:${EXTRA_CA}:ro`, '--env', `NODE_EXTRA_CA_CERTS=${EXTRA_CA}`]
        : []),
      ...Object.keys(process.env)
        .filter((name) => PASSED_ON.test(name))
        .flatMap((name) => ['--env', name]),
      ...(task === 'start' ? await publishDemo() : []),
      ...[NAME, 'node', 'scripts/setup.mjs', task, ...args],
    ],
    process.env,
  );
}

async function publishDemo() {
  if (!(await isFree(DEMO_PORT))) {
    process.stderr.write(
      `setup: port ${DEMO_PORT} is taken, so nginx is reachable only inside the container\n`,
    );
    return [];
  }
  return [
    ...['--publish', `127.0.0.1:${DEMO_PORT}:${FORWARDED_PORT}`],
    ...['--env', `ROLLCALL_SETUP_FORWARD=${FORWARDED_PORT}:${DEMO_PORT}`],
  ];
}

/**
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
