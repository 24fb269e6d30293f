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
import type { Service } from '../options/service.ts';

export interface DryRun {
  readonly services: readonly Service[];
  readonly nginxConf: string;
  readonly store: Pick<PrefixStore, 'list'>;
  readonly file: Pick<ConfigFile, 'text'>;
  readonly render: Renderer;
}

/** @returns the exit status. */
export async function dryRun(
  { services, nginxConf, store, file, render }: DryRun,
  signal: AbortSignal,
): Promise<number> {
  try {
    const pools = await Promise.all(
      services.map(async (service) => {
        const { keys } = await store.list(service.prefix, signal);
        return { service, ...poolOf(service.prefix, keys) };
      }),
    );
    const { text } = render(pools);
    const before = (await file.text()) ?? '';
    process.stdout.write(text);
    for (const { key, reason } of pools.flatMap(({ setAside }) => setAside)) {
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
