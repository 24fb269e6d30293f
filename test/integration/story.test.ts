import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';

test('a chapter of the story passes on a world that does what it should', async () => {
  const { code, output } = await story('--chapters', 'killed');
  expect(output).toMatch(/^killed {11}apache-\d+ kill -9: key gone .* 0 failed$/m);
  expect(output).toMatch(/^1 of 1 chapters passed in .*$/m);
  expect(code).toBe(0);
});

test('and fails on one that does not', async () => {
  const { code, output } = await story('--break', 'killed');
  expect(output).toMatch(/^FAILED killed: expected nginx proven to serve without .* within .*$/m);
  expect(output).toMatch(/^0 of 1 chapters passed in .*$/m);
  expect(code).toBe(1);
});

async function story(...args: string[]): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, ['scripts/demo/main.ts', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 25_000,
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = (await once(child, 'close')) as [number];
  return { code, output };
}
