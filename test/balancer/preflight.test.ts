import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { refuseUnusable } from '../../src/balancer/preflight.ts';
import { UsageError } from '../../src/lib/errors.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

// `true -v` ends with 0, as `nginx -v` does.
const usable = { nginxConf: '/tmp/nginx.conf', nginxBin: 'true', dryRun: false };

async function refusal(settings: Partial<typeof usable>): Promise<string> {
  const error: unknown = await refuseUnusable({ ...usable, ...settings }).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(UsageError);
  return error instanceof UsageError ? error.message : '';
}

test('what can work is let through, and nothing is written', async () => {
  await using directory = await temporaryDirectory();
  await refuseUnusable({ ...usable, nginxConf: join(directory.path, 'nginx.conf') });
  expect(await readdir(directory.path)).toEqual([]);
});

test('an nginx that is missing or fails is refused', async () => {
  expect(await refusal({ nginxBin: '/nowhere/nginx' })).toMatch(
    /^--nginx-bin \/nowhere\/nginx: .*ENOENT/,
  );
  expect(await refusal({ nginxBin: 'false' })).toContain('exit status 1');
});

test('a directory that is none is refused', async () => {
  await using directory = await temporaryDirectory();
  const missing = join(directory.path, 'missing', 'nginx.conf');
  expect(await refusal({ nginxConf: missing })).toContain('it does not exist');
  const file = join(directory.path, 'file');
  await writeFile(file, '', { mode: 0o755 });
  expect(await refusal({ nginxConf: join(file, 'nginx.conf') })).toContain('not a directory');
});

test('a directory in the place of the file is refused', async () => {
  await using directory = await temporaryDirectory();
  const nginxConf = join(directory.path, 'nginx.conf');
  await mkdir(nginxConf);
  expect(await refusal({ nginxConf })).toContain('it is a directory');
});

test('a dry run needs neither', async () => {
  const settings = { nginxBin: '/nowhere', nginxConf: '/nowhere/nginx.conf', dryRun: true };
  await expect(refuseUnusable(settings)).resolves.toBeUndefined();
});
