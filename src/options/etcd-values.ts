/** Parsers of what it takes to be let in by etcd. */
import { isIP } from 'node:net';
import { isAbsolute } from 'node:path';
import { BadValue } from './values.ts';

/** Any path that stays true wherever the process runs. */
export function filePath(text: string): string {
  if (!isAbsolute(text) || text.includes('\0')) throw new BadValue('an absolute path');
  return text;
}

/** What stands in a certificate: a DNS name; an address is compared with the URL's own. */
export function serverName(text: string): string {
  const isName = /^(?!-)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*$/.test(text);
  if (!isName || text.length > 253 || isIP(text) !== 0) {
    throw new BadValue('a DNS name, such as etcd.example.org');
  }
  return text;
}
