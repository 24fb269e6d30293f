/**
 * `node scripts/setup.mjs start|test|… [args]`: prepares this checkout and hands over to the task.
 *
 * Plain JavaScript for Node 20: it runs before the project's own Node is there. Each step is taken
 * only where something is missing, and says so. A machine that cannot be prepared is told what it
 * lacks, with exit status 2; a step that fails shows its last words, with exit status 1.
 */
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installPrograms } from './setup/apt.mjs';
import { runInContainer } from './setup/container.mjs';
import { forward } from './setup/forward.mjs';
import { handOver } from './setup/hand-over.mjs';
import { look, projectNode, searchPath } from './setup/look.mjs';
import { planSetup } from './setup/plan.mjs';
import { CannotPrepare, StepFailed, step } from './setup/step.mjs';

/**
 * What the project's Node is told to run.
 *
 * @type {Record<string, readonly string[] | undefined>}
 */
const tasks = {
  start: ['scripts/demo/main.ts'],
  test: ['node_modules/vitest/vitest.mjs', 'run'],
  'test:container-etcd': ['scripts/container-etcd/main.ts'],
  'test:systemd': ['scripts/systemd/main.ts'],
  'test:docker': ['scripts/docker/main.ts'],
  'test:deploy': ['scripts/deploy/main.ts'],
};

/**
 * Parts of the preparation, for an image and for continuous integration.
 *
 * @type {Record<string, ((facts: import('./setup/plan.mjs').Facts) => Promise<void>) | undefined>}
 */
const parts = {
  programs: async ({ missing }) => {
    if (missing.length > 0) await installPrograms(missing);
  },
  modules: async ({ modulesCurrent }) => {
    if (!modulesCurrent) await installModules();
  },
};

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const [task = '', ...args] = process.argv.slice(2);
process.exitCode = await prepareAndRun().catch((/** @type {unknown} */ error) => {
  if (!(error instanceof StepFailed || error instanceof CannotPrepare)) throw error;
  process.stderr.write(`${error.message}\n`);
  return error instanceof StepFailed ? 1 : 2;
});

/** @returns {Promise<number>} the exit status */
async function prepareAndRun() {
  const part = parts[task];
  if (part) {
    await part(look(task));
    return 0;
  }
  const words = tasks[task];
  if (!words) {
    const known = [...Object.keys(tasks), ...Object.keys(parts)].join('|');
    throw new CannotPrepare(`usage: node scripts/setup.mjs ${known} [args]`);
  }
  const env = { ...process.env, PATH: searchPath.join(delimiter) };
  const node = join(process.cwd(), projectNode);
  let status = 0;
  for (const next of planSetup(look(task))) {
    switch (next.do) {
      case 'refuse':
        throw new CannotPrepare(next.why);
      case 'install programs':
        await installPrograms(next.missing);
        break;
      case 'install modules':
        await installModules();
        break;
      case 'build':
        await step('compiling', node, ['scripts/build.mjs'], env);
        break;
      case 'run in container':
        status = await runInContainer(task, args);
        break;
      case 'run':
        openDoor();
        status = await handOver(node, [...words, ...args], env);
        break;
    }
  }
  return status;
}

async function installModules() {
  // The npm that runs this, by the Node that runs it: both on PATH may be those about to be replaced.
  const { npm_node_execpath: node, npm_execpath: npm } = process.env;
  const [command, ...words] = node && npm ? [node, npm] : ['npm'];
  await step('installing Node packages', command, [
    ...words,
    'ci',
    '--no-progress',
    '--loglevel=error',
  ]);
}

function openDoor() {
  const [from, to] = (process.env['ROLLCALL_SETUP_FORWARD'] ?? '').split(':').map(Number);
  if (from && to) forward(from, to);
}
