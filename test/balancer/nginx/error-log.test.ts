import { appendFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { errorLogAt, traceIn } from '../../../src/balancer/nginx/error-log.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const line = (level: string, words: string) => `2026/01/01 00:00:00 [${level}] 7#7: ${words}\n`;

async function scratch() {
  const directory = await temporaryDirectory();
  const path = join(directory.path, 'error.log');
  await writeFile(path, line('emerg', 'from before'));
  return { directory, path, log: errorLogAt(path) };
}

test('what nginx said since then, and only that', async () => {
  const { directory, path, log } = await scratch();
  await using _ = directory;
  const mark = await log.mark();
  expect(await log.since(mark)).toEqual({ kind: 'no trace' });
  await appendFile(path, line('warn', 'a warning') + line('emerg', 'host not found'));
  expect(await log.since(mark)).toEqual({ kind: 'refused', words: 'host not found' });
});

test('a log that was rotated, emptied, or is no file says nothing', async () => {
  const { directory, path, log } = await scratch();
  await using _ = directory;
  const mark = await log.mark();
  await writeFile(path, '');
  expect(await log.since(mark)).toEqual({ kind: 'unknown' });
  await rename(path, `${path}.1`);
  expect(await log.since(mark)).toEqual({ kind: 'unknown' });
  expect(await log.mark()).toBeUndefined();
  expect(await log.since(undefined)).toEqual({ kind: 'unknown' });
  expect(await errorLogAt('stderr').mark()).toBeUndefined();
  expect(await errorLogAt(directory.path).mark()).toBeUndefined();
});

test('the same words from many tries are said once, and not without end', () => {
  const bind = line('emerg', 'bind() to 0.0.0.0:80 failed (98: Address already in use)');
  expect(traceIn(bind.repeat(5) + line('emerg', 'still could not bind()'))).toEqual({
    kind: 'refused',
    words: 'bind() to 0.0.0.0:80 failed (98: Address already in use); still could not bind()',
  });
  const long = traceIn(line('emerg', 'x'.repeat(5000)));
  expect(long.kind === 'refused' && long.words.length).toBe(400);
});

test('a line that only quotes one is none', () => {
  const quoted = line('error', 'client sent "2026/01/01 00:00:00 [emerg] 7#7: no" ');
  expect(traceIn(quoted)).toEqual({ kind: 'no trace' });
});
