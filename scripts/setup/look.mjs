/**
 * Looks at the machine and the checkout; changes nothing.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { modulesMatch } from './modules.mjs';
import { programs, serverDirectories } from './programs.mjs';

const DOCKER_ANSWERS_WITHIN_MS = 10_000;

/** The Node that comes with the project. */
export const projectNode = 'node_modules/.bin/node';

/** The path on which the command and all it starts find their programs. */
export const searchPath = [
  join(process.cwd(), 'node_modules/.bin'),
  ...(process.env['PATH'] ?? '').split(delimiter).filter(Boolean),
  ...serverDirectories,
];

/**
 * @param {string} task what is going to run
 * @returns {import('./plan.mjs').Facts}
 */
export function look(task) {
  const needed = programs.filter(({ forTests }) => !(forTests && task === 'start'));
  const missing = needed.filter(({ commands }) => !commands.some(isInstalled));
  const root = process.getuid?.() === 0;
  const apt = isInstalled('apt-get');
  return {
    missing,
    root,
    apt,
    // Asking an engine takes a second: only where the answer matters.
    docker: missing.length > 0 && !(root && apt) && dockerAnswers(),
    modulesCurrent:
      existsSync(projectNode) &&
      modulesMatch(
        readJson('package-lock.json') ?? {},
        readJson('node_modules/.package-lock.json'),
      ),
    distCurrent: isBuilt(),
  };
}

/**
 * @param {string} command
 * @returns {boolean}
 */
export function isInstalled(command) {
  return searchPath.some((directory) => {
    try {
      accessSync(join(directory, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function dockerAnswers() {
  const { status } = spawnSync('docker', ['version', '--format', '{{.Server.Version}}'], {
    stdio: 'ignore',
    timeout: DOCKER_ANSWERS_WITHIN_MS,
  });
  return status === 0;
}

function isBuilt() {
  if (!existsSync('dist/cli.js')) return false;
  const sources = readdirSync('src', { recursive: true, encoding: 'utf8' });
  // A directory's own time tells that a file was removed from it.
  const newest = [
    'tsconfig.json',
    'package.json',
    'scripts/build.mjs',
    'scripts/bundle',
    ...readdirSync('scripts/bundle').map((name) => `scripts/bundle/${name}`),
    'src',
    ...sources.map((name) => `src/${name}`),
  ]
    .map((path) => statSync(path).mtimeMs)
    .reduce((a, b) => Math.max(a, b));
  return newest <= statSync('dist/cli.js').mtimeMs;
}

/**
 * @param {string} path
 * @returns {import('./modules.mjs').Lockfile | undefined}
 */
function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
