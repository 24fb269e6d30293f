/**
 * What has to be done before the asked command can run: the decision alone.
 *
 * Nothing is installed where nothing is missing, whoever asks. Node packages are looked after only
 * where the command will run, so that a container leaves those of its host alone.
 */
import { howToInstall } from './programs.mjs';

/**
 * @typedef {object} Facts
 * @property {readonly import('./programs.mjs').Program[]} missing
 * @property {boolean} root
 * @property {boolean} apt
 * @property {boolean} docker whether an engine answers
 * @property {boolean} modulesCurrent
 * @property {boolean} distCurrent
 */

/**
 * @typedef {{ do: 'install programs', missing: Facts['missing'] }
 *   | { do: 'install modules' }
 *   | { do: 'build' }
 *   | { do: 'run' }
 *   | { do: 'run in container' }
 *   | { do: 'refuse', why: string }} Step
 */

/**
 * @param {Facts} facts
 * @returns {readonly Step[]}
 */
export function planSetup({ missing, root, apt, docker, modulesCurrent, distCurrent }) {
  const installable = root && apt;
  if (missing.length > 0 && !installable) {
    return docker ? [{ do: 'run in container' }] : [{ do: 'refuse', why: howToInstall(missing) }];
  }
  /** @type {Step[]} */
  const steps = [];
  if (missing.length > 0) steps.push({ do: 'install programs', missing });
  if (!modulesCurrent) steps.push({ do: 'install modules' });
  // Other libraries may compile to other code.
  if (!distCurrent || !modulesCurrent) steps.push({ do: 'build' });
  return [...steps, { do: 'run' }];
}
