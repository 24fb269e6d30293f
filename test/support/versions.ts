/**
 * The versions of the installed nginx and apache, from their own mouths.
 */
import { spawnSync } from 'node:child_process';
import { findProgram } from '../../scripts/parts/find-program.ts';

export function nginxVersion(): string {
  return versionOf(findProgram('nginx'), /nginx\/(\S+)/);
}

export function apacheVersion(): string {
  return versionOf(findProgram('apache2', 'httpd'), /Apache\/(\S+)/);
}

function versionOf(program: string, pattern: RegExp): string {
  const { stdout, stderr } = spawnSync(program, ['-v'], { encoding: 'utf8', timeout: 5000 });
  // nginx says it on standard error, apache on standard output.
  return pattern.exec(`${stdout}${stderr}`)?.[1] ?? 'of unknown version';
}
