/**
 * `--dry-run`: what would be written, on standard output, and how it differs from
 * the file on disk, on standard error. Nothing is changed.
 */
import { createTwoFilesPatch } from 'diff';
import { messageOf } from '../lib/errors.ts';
import type { PrefixStore } from '../registry/store.ts';
import type { ConfigFile } from './nginx/config-file.ts';
import { poolOf } from './pool/pool.ts';
import type { Renderer } from './render/render.ts';

/** @returns the exit status. */
export async function dryRun(
  { prefix, nginxConf }: { readonly prefix: string; readonly nginxConf: string },
  store: PrefixStore,
  file: Pick<ConfigFile, 'text'>,
  render: Renderer,
  signal: AbortSignal,
): Promise<number> {
  try {
    const { keys } = await store.list(prefix, signal);
    const { backends, setAside } = poolOf(prefix, keys);
    const { text } = render(backends);
    const before = (await file.text()) ?? '';
    process.stdout.write(text);
    for (const { key, reason } of setAside) {
      process.stderr.write(`rollcall: set aside: ${key}: ${reason}\n`);
    }
    process.stderr.write(
      before === text
        ? `rollcall: ${nginxConf} is already so\n`
        : createTwoFilesPatch(nginxConf, `${nginxConf} (wanted)`, before, text, '', '', {
            context: 3,
          }),
    );
    return 0;
  } catch (error) {
    process.stderr.write(`rollcall: ${messageOf(error)}\n`);
    return 1;
  }
}
