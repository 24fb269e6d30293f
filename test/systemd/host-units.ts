/**
 * The units for a host without containers, as they are shipped, on a machine of their own. Only where
 * rollcall is installed differs: it is the build of this checkout.
 */
import { readdir, readFile } from 'node:fs/promises';
import { checkoutPath } from '../../scripts/systemd/machine-image.ts';

const shipped = new URL('../../units/host/', import.meta.url);
const rollcall = `${checkoutPath}/node_modules/.bin/node ${checkoutPath}/dist/cli.js`;

/** Each unit by its name, and its text. */
export async function hostUnits(): Promise<ReadonlyMap<string, string>> {
  const names = (await readdir(shipped)).filter((name) => name.endsWith('.service')).toSorted();
  const texts = names.map(
    async (name) => [name, await readFile(new URL(name, shipped), 'utf8')] as const,
  );
  return new Map(await Promise.all(texts));
}

/** What is installed on a machine: the units, the users, apache's configuration. */
export async function hostFiles(): Promise<Record<string, string>> {
  const files: Record<string, string> = {
    '/etc/sysusers.d/rollcall.conf': await readFile(new URL('rollcall.sysusers', shipped), 'utf8'),
    '/etc/rollcall/apache.conf': await readFile(new URL('apache.conf', shipped), 'utf8'),
    '/var/www/html/index.html': 'apache\n',
  };
  for (const [name, text] of await hostUnits()) {
    files[`/etc/systemd/system/${name}`] = text;
    const [, words] = /^ExecStart=\/usr\/bin\/rollcall (.+)$/m.exec(text) ?? [];
    if (words === undefined) continue;
    files[`/etc/systemd/system/${name}.d/checkout.conf`] =
      `[Service]\nExecStart=\nExecStart=${rollcall} ${words}\n`;
  }
  return files;
}
