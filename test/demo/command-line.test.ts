import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const demo = (...args: string[]) =>
  spawnSync(process.execPath, ['scripts/demo/main.ts', ...args], { encoding: 'utf8' });

test.for([
  [['--stroy'], /^unknown option '--stroy' \(Did you mean --story\?\)\n$/],
  [['--break', 'nothing'], /^unknown chapter 'nothing': the chapters are killed, frozen, .*\n$/],
  [['--break', 'killed', '--chapters', 'frozen'], /^--break killed needs that chapter among .*\n$/],
  [['story'], /^too many arguments.*\n$/],
] as const)('%j is refused in one line, with exit status 2', ([args, line]) => {
  const { status, stderr, stdout } = demo(...args);
  expect(status).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toMatch(line);
});

test('--help names every chapter and how it is broken', () => {
  const { status, stdout } = demo('--help');
  expect(status).toBe(0);
  expect(stdout.match(/broken: /g)).toHaveLength(7);
});
