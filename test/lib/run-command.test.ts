import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { failureOf, runCommand } from '../../src/lib/run-command.ts';

const sh = (script: string, timeoutMs = 5000, signal?: AbortSignal) =>
  runCommand(['sh', '-c', script], timeoutMs, signal);

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** SIGKILL is sent before the result is given; the kernel may need a moment. */
async function expectGone(pid: number): Promise<void> {
  for (let attempt = 0; isAlive(pid) && attempt < 100; attempt += 1) await delay(10);
  expect(isAlive(pid)).toBe(false);
}

test('a status is an outcome, with what both streams said', async () => {
  const result = await sh('echo out; echo err >&2; exit 3');
  expect(result).toMatchObject({ kind: 'exited', status: 3 });
  expect(failureOf(result)).toMatch(/^exit status 3: (out; err|err; out)$/);
});

test('status 0 is no failure, whatever was said', async () => {
  expect(failureOf(await sh('echo warning >&2'))).toBeUndefined();
});

test('no shell runs: arguments are words', async () => {
  const result = await runCommand(['echo', '$HOME; `id` *'], 5000);
  expect(result).toMatchObject({ kind: 'exited', output: '$HOME; `id` *\n' });
});

test('a program that does not exist is named', async () => {
  const result = await runCommand(['/nowhere/nginx', '-t'], 5000);
  expect(failureOf(result)).toContain('/nowhere/nginx ENOENT');
});

test('a program that a signal ended says which', async () => {
  expect(failureOf(await sh('echo last words; kill -TERM $$'))).toBe(
    'killed by SIGTERM: last words',
  );
});

test('a program that ignores SIGTERM is dead after its time', async () => {
  const result = await sh(`trap '' TERM; echo $$; while :; do sleep 0.05; done`, 500);
  expect(result).toMatchObject({ kind: 'timed out', timeoutMs: 500 });
  expect(failureOf(result)).toMatch(/^no end within 500 ms, killed: \d+$/);
  await expectGone(Number('output' in result && result.output));
});

test('a grandchild that holds the pipes does not hold the call', async () => {
  const startedAtMs = performance.now();
  const result = await sh('sleep 3 & echo $!; exit 1');
  const tookMs = performance.now() - startedAtMs;
  try {
    expect(result).toMatchObject({ kind: 'exited', status: 1 });
    expect(tookMs).toBeLessThan(2000);
  } finally {
    if ('output' in result) process.kill(Number(result.output));
  }
});

test('a shutdown kills what runs', async () => {
  const stop = new AbortController();
  const running = sh('echo $$; exec sleep 3', 5000, stop.signal);
  await delay(400);
  stop.abort();
  const result = await running;
  expect(result).toMatchObject({ kind: 'killed', by: 'shutdown' });
  await expectGone(Number('output' in result && result.output));
});

test.each(['sleep', '/nowhere/nginx'])('after a shutdown %s is not begun', async (program) => {
  const result = await runCommand([program, '3'], 5000, AbortSignal.abort());
  expect(result).toEqual({ kind: 'killed', by: 'shutdown', output: '' });
  // An error with nobody listening would fail the run.
  await delay(20);
});

test('of a long output the end is kept: four lines of it in the failure', async () => {
  const result = await sh('seq 1 100000; exit 1');
  expect('output' in result && result.output.length).toBeLessThanOrEqual(8192);
  expect(failureOf(result)).toBe('exit status 1: 99997; 99998; 99999; 100000');
});
