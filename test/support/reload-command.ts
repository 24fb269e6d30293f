/**
 * A command that reloads nginx and leaves a line for each time that it ran: the number of reloads
 * as nobody but the balancer can have asked for them.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NginxHome } from '../../scripts/parts/nginx.ts';

export interface ReloadCommand {
  /** For --reload. */
  readonly method: string;
  readonly count: () => Promise<number>;
}

export async function makeReloadCommand({ path, pidFile }: NginxHome): Promise<ReloadCommand> {
  const script = join(path, 'reload.sh');
  const lines = join(path, 'reloads');
  await writeFile(lines, '');
  await writeFile(
    script,
    `#!/bin/sh\nread pid < '${pidFile}' || exit 1\necho >> '${lines}'\nkill -HUP "$pid"\n`,
    { mode: 0o755 },
  );
  return {
    method: `exec:${script}`,
    count: async () => (await readFile(lines, 'utf8')).length,
  };
}
