/**
 * Installs missing programs from Debian's packages, as programs only: no service of theirs is
 * started now or at the next boot, so port 80 stays whose it was.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { CannotPrepare, step } from './step.mjs';

const POLICY = '/usr/sbin/policy-rc.d';

/** @param {readonly import('./programs.mjs').Program[]} missing */
export async function installPrograms(missing) {
  const packages = missing.map(({ debian }) => debian);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await step("reading Debian's list of packages", 'apt-get', ['update'], env);
  const unknown = packages.filter((name) => !hasCandidate(name));
  if (unknown.length > 0) {
    throw new CannotPrepare(
      `This release of the system has no package ${unknown.join(', ')}. ` +
        'Install the program by hand, or run this on Debian 12 or later.',
    );
  }
  const release = forbidServiceStarts();
  try {
    await step(
      `installing ${packages.join(' ')}`,
      'apt-get',
      ['install', '-y', '--no-install-recommends', ...packages],
      env,
    );
  } finally {
    release();
  }
  disableServices(missing);
}

/** @param {string} name */
function hasCandidate(name) {
  const { stdout } = spawnSync('apt-cache', ['policy', name], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  return /^ {2}Candidate: (?!\(none\))/m.test(stdout ?? '');
}

/**
 * Packages ask this file before they start a service. It forbids only while this process lives: were
 * it left behind by a kill, it would allow again by itself.
 */
function forbidServiceStarts() {
  if (existsSync(POLICY)) return () => undefined;
  writeFileSync(POLICY, `#!/bin/sh\nkill -0 ${process.pid} 2>/dev/null && exit 101\nexit 0\n`, {
    mode: 0o755,
  });
  return () => rmSync(POLICY, { force: true });
}

/** @param {readonly import('./programs.mjs').Program[]} missing */
function disableServices(missing) {
  if (!existsSync('/run/systemd/system')) return;
  const services = missing.flatMap(({ service }) => service ?? []);
  if (services.length > 0) spawnSync('systemctl', ['disable', '--quiet', ...services]);
}
