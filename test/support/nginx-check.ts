/** What the real nginx says of a configuration, without starting: nothing, or why it refuses it. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import type { NginxHome } from '../../scripts/parts/nginx.ts';
import { nginxProgram } from '../../scripts/parts/nginx.ts';

const checkedWithinMs = 10_000;

export async function nginxRefusal(home: NginxHome, text: string): Promise<string> {
  await writeFile(home.conf, text);
  return await new Promise((resolve) => {
    const args = ['-t', '-q', '-c', home.conf];
    execFile(nginxProgram(), args, { timeout: checkedWithinMs }, (error, _stdout, stderr) =>
      resolve(stderr || (error?.message ?? '')),
    );
  });
}
