/** The templates that ship with rollcall, read from beside this file, and an operator's own. */
import { readFileSync, statSync } from 'node:fs';
import { messageOf } from '../../lib/errors.ts';
import type { Templates } from './engine.ts';

const builtIn = (name: string) => readFileSync(new URL(`${name}.liquid`, import.meta.url), 'utf8');

const maxBytes = 1024 * 1024;

/**
 * @param path the operator's own template for the whole file; undefined: the built-in one.
 * @throws Error when it cannot be read.
 */
export function readTemplates(path: string | undefined): Templates {
  return {
    source: path === undefined ? 'the built-in template' : `--template ${path}`,
    main: path === undefined ? builtIn('nginx.conf') : ownTemplate(path),
    partials: {
      confirm: builtIn('confirm'),
      upstream: builtIn('upstream'),
      proxy: builtIn('proxy'),
    },
  };
}

function ownTemplate(path: string): string {
  try {
    const stats = statSync(path);
    // A pipe would be waited for, a device read for ever.
    if (!stats.isFile() && !stats.isDirectory()) throw new Error('it is not a file');
    if (stats.size > maxBytes) throw new Error(`it has more than ${maxBytes} bytes`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`--template ${path}: ${messageOf(error)}`, { cause: error });
  }
}
