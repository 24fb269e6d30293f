import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { pidsOfGroup } from './processes.ts';

const PARENT = fileURLToPath(new URL('guard.parent.ts', import.meta.url));

test('a parent that is killed leaves neither its frozen apache nor a directory', async () => {
  const parent = fork(PARENT, { execArgv: [] });
  const [{ group, directory }] = (await once(parent, 'message')) as [
    { group: number; directory: string },
  ];
  expect((await pidsOfGroup(group)).length).toBeGreaterThan(1);
  expect(existsSync(directory)).toBe(true);
  parent.kill('SIGKILL');
  await waitUntil({ expected: 'nothing left', withinMs: 3000 }, async () => {
    const left = await pidsOfGroup(group);
    if (left.length > 0) return `processes ${left.join(' ')}`;
    return existsSync(directory) ? directory : true;
  });
});
