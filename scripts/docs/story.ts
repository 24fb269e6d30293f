/** The story as it was told by a real run, for the first screen of the README. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const demo = fileURLToPath(new URL('../demo/main.ts', import.meta.url));

/** @throws Error when a chapter did not pass: a story with a failure is no first screen. */
export async function toldStory(signal: AbortSignal): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [demo, '--story'], {
    signal,
    timeout: 180_000,
  });
  return ['```console', '$ npm start -- --story', ...linesOf(stdout), '```'].join('\n');
}

/** Without blank lines around it; the first line keeps its indent. */
const linesOf = (text: string) =>
  text
    .replace(/^\n+/, '')
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd());
