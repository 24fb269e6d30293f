/** The templates that ship with rollcall, read from beside this file. */
import { readFileSync } from 'node:fs';
import type { Templates } from './render.ts';

const builtIn = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8');

/** @param path the operator's own template for the whole file; undefined: the built-in one. */
export const readTemplates = (path: string | undefined): Templates => ({
  main: path === undefined ? builtIn('nginx.conf.liquid') : readFileSync(path, 'utf8'),
  confirm: builtIn('confirm.liquid'),
});
