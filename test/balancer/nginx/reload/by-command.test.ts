import { expect, test } from 'vitest';
import { reloadByCommand } from '../../../../src/balancer/nginx/reload/by-command.ts';
import { never } from '../../../support/virtual-clock.ts';

test('status 0 is done', async () => {
  expect(await reloadByCommand(['true'], never)).toBeUndefined();
});

test('anything else is the program and its own words', async () => {
  const reason = await reloadByCommand(['sh', '-c', 'echo no such unit; exit 5'], never);
  expect(reason).toBe('sh: exit status 5: no such unit');
});

test('a program that is missing is told', async () => {
  const reason = await reloadByCommand(['/nowhere/reload'], never);
  expect(reason).toContain('/nowhere/reload: spawn /nowhere/reload ENOENT');
});
