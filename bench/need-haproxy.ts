/** HAProxy is for this alone: installed when it is first asked for, not by `npm test`. */
import { installPrograms } from '../scripts/setup/apt.mjs';
import { isInstalled } from '../scripts/setup/look.mjs';

/** @throws Error with what to do where it is missing and cannot be installed from here. */
export async function needHaproxy(): Promise<void> {
  if (isInstalled('haproxy')) return;
  if (process.getuid?.() !== 0 || !isInstalled('apt-get')) {
    throw new Error('Not installed: haproxy. As root, on Debian: apt-get install haproxy');
  }
  const haproxy = { name: 'haproxy', commands: ['haproxy'], debian: 'haproxy', service: 'haproxy' };
  await installPrograms([haproxy]);
}
