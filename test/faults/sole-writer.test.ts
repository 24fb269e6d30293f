// One balancer for one nginx.conf, with processes that are killed, frozen, and too many at once.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { becomeSoleWriter } from '../../src/balancer/sole-writer.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const lockName = '.nginx.conf.rollcall-lock';

const contender = fileURLToPath(new URL('../support/lock-contender.ts', import.meta.url));

/** @param within the words of a command that starts the rest of its words as a program. */
async function startContender(...within: readonly string[]) {
  const [program, ...args] = [...within, process.execPath, contender];
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const next = async () => String((await once(child, 'message'))[0]);
  await next();
  // The channel is closed when the last of them has gone.
  const ended = Promise.all([once(child, 'exit'), once(child, 'disconnect')]);
  const said = (message: string) => {
    const answer = next();
    child.send(message);
    return answer;
  };
  return {
    pid: child.pid,
    take: said,
    giveBack: () => said(''),
    freeze: () => child.kill('SIGSTOP'),
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

test('one that was killed is in nobody’s way', async () => {
  await using directory = await temporaryDirectory();
  const conf = join(directory.path, 'nginx.conf');
  await using first = await startContender();
  expect(await first.take(conf)).toBe('won');
  await expect(becomeSoleWriter(conf)).rejects.toThrow(`process ${first.pid} on `);
  await first.kill();
  expect(await readdir(directory.path)).toEqual([lockName]);
  await using second = await becomeSoleWriter(conf);
  expect(second.unguarded).toBeUndefined();
});

test('namespaces of processes and of networks hide none from the other', async (context) => {
  const apart = ['unshare', '--pid', '--fork', '--kill-child', '--net', '--'] as const;
  const [program, ...args] = apart;
  if (spawnSync(program, [...args, 'true']).status !== 0) context.skip('not allowed here');
  await using directory = await temporaryDirectory();
  const conf = join(directory.path, 'nginx.conf');
  await using first = await startContender(...apart);
  await using second = await startContender(...apart);
  expect(await first.take(conf)).toBe('won');
  // Both are number 1 where they are.
  expect(await second.take(conf)).toContain('already (process 1 on ');
  await first.kill();
  expect(await second.take(conf)).toBe('won');
  await expect(becomeSoleWriter(conf)).rejects.toThrow('already (process 1 on ');
});

test('one that is frozen is one still, however many ask', async () => {
  await using directory = await temporaryDirectory();
  const conf = join(directory.path, 'nginx.conf');
  await using first = await startContender();
  expect(await first.take(conf)).toBe('won');
  first.freeze();
  const startedAt = performance.now();
  // More than the system lets wait for it.
  const asked = await Promise.allSettled(Array.from({ length: 600 }, () => becomeSoleWriter(conf)));
  const reasons = new Set(
    asked.map((one) => (one.status === 'rejected' ? String(one.reason) : '')),
  );
  expect([...reasons]).toEqual([
    expect.stringContaining('a process that does not say who it is') as unknown,
  ]);
  expect(performance.now() - startedAt).toBeLessThan(5000);
});

test('of those who find a dead one at the same time exactly one wins, twenty times', async () => {
  await using directory = await temporaryDirectory();
  const conf = join(directory.path, 'nginx.conf');
  await using stack = new AsyncDisposableStack();
  const contenders = await Promise.all(
    Array.from({ length: 3 }, async () => stack.use(await startContender())),
  );
  for (let round = 1; round <= 20; round += 1) {
    await using dead = await startContender();
    expect(await dead.take(conf)).toBe('won');
    await dead.kill();
    const said = await Promise.all(contenders.map(({ take }) => take(conf)));
    expect(said.toSorted()).toEqual([
      expect.stringMatching(/: a balancer looks after it already \(process \d+ on .*\): stop/),
      expect.stringMatching(/: a balancer looks after it already \(process \d+ on .*\): stop/),
      'won',
    ]);
    expect(await readdir(directory.path)).toEqual([lockName]);
    await Promise.all(contenders.map(({ giveBack }) => giveBack()));
    expect(await readdir(directory.path)).toEqual([]);
  }
});
