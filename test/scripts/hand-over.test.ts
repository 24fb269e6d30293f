import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';

const MORE_THAN_ONE_PRESS_MS = 400;

test('a signal that arrives twice at once is one, a later one is the second', async () => {
  const { parent, read, rest } = handingOver();
  expect(await read()).toBe('ready');

  // As a terminal and npm do.
  parent.kill('SIGINT');
  await sleep(20);
  parent.kill('SIGINT');
  expect(await read()).toBe('SIGINT');
  await sleep(MORE_THAN_ONE_PRESS_MS);
  parent.kill('SIGINT');
  expect(await read()).toBe('SIGINT');

  parent.kill('SIGTERM');
  expect(await rest()).toEqual(['SIGTERM']);
});

test('waits for the command and takes its exit status', async () => {
  const { parent, read } = handingOver();
  expect(await read()).toBe('ready');
  const exited = once(parent, 'exit');
  parent.kill('SIGTERM');
  expect(await exited).toEqual([7, null]);
});

test.runIf(process.platform === 'linux')(
  'the command is asked to stop when the one that waits is killed',
  async () => {
    const { parent, read, rest } = handingOver();
    expect(await read()).toBe('ready');
    parent.kill('SIGKILL');
    expect(await rest()).toEqual(['SIGTERM']);
  },
);

function handingOver() {
  const script = new URL('./hand-over.parent.ts', import.meta.url).pathname;
  const parent = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: parent.stdout })[Symbol.asyncIterator]();
  return {
    parent,
    read: async () => (await lines.next()).value as unknown,
    /** The lines up to the end of the command, which holds the pipe open as long as it lives. */
    rest: async () => {
      const read: unknown[] = [];
      for await (const line of { [Symbol.asyncIterator]: () => lines }) read.push(line);
      return read;
    },
  };
}
