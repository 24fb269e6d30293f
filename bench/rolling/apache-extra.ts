/**
 * What the apaches of the rolling restart have beyond the usual: a page that takes two seconds to
 * send, and a place that answers a POST with its own body. Nothing but modules that come with apache.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ApacheExtra } from '../../scripts/parts/apache-conf.ts';

const slowBytes = 38_912;
/**
 * Sent in pieces, five a second. Not 20: pieces of 4096 bytes fill nginx's buffers to the last byte,
 * and nginx 1.17.5 to 1.23.0 on Linux may then cut an answer at a reload, whoever reloads it.
 */
const slowKbPerSecond = 19;

/** Its first byte comes at once, so an nginx that loses its apache then cannot ask another one. */
export const slowPage = 'x'.repeat(slowBytes);

/** @param directory the page is put there. Apache's own account must be able to read it. */
export async function slowAndEcho(directory: string): Promise<ApacheExtra> {
  const file = join(directory, 'slow.txt');
  await writeFile(file, slowPage);
  return {
    modules: ['alias', 'dir', 'env', 'ratelimit', 'reflector'],
    directives: [
      // It would send every path to the one page.
      'RewriteEngine Off',
      `Alias "/slow" "${file}"`,
      `<Directory "${directory}">\n  Require all granted\n</Directory>`,
      `<Location "/slow">\n  SetOutputFilter RATE_LIMIT\n  SetEnv rate-limit ${slowKbPerSecond}\n</Location>`,
      '<Location "/echo">\n  SetHandler reflector\n</Location>',
    ],
  };
}
