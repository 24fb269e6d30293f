/**
 * Writes the last lines of a run, after all that vitest has to say (see summary.ts), and sees to it
 * that there is an end: a process that a failed test left behind would keep vitest waiting for ever.
 */
import type { Reporter, TestModule, Vitest } from 'vitest/node';
import { type Programs, type Totals, formatPrograms, formatTotals } from './summary.ts';

const ENDS_WITHIN_MS = 30_000;

export class LastLines implements Reporter {
  #vitest: Vitest | undefined;
  #programs: Programs | undefined;
  #totals: Totals = { passed: 0, failed: 0, skipped: 0 };

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
    // Only at the exit is the status known, and nothing comes after.
    process.once('exit', (status) => this.#write(status));
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    // Only where integration tests ran was anything provided.
    this.#programs = this.#vitest?.projects
      .map((project) => project.getProvidedContext().programs)
      .find((provided) => provided !== undefined);
    const each = modules.map(totalsOf);
    this.#totals = {
      passed: sum(each.map(({ passed }) => passed)),
      failed: sum(each.map(({ failed }) => failed)) + unhandledErrors.length,
      skipped: sum(each.map(({ skipped }) => skipped)),
    };
    // With every test filtered out vitest is content; a run that proves nothing is no success.
    if (this.#totals.passed === 0) process.exitCode ||= 1;
    if (!this.#vitest?.config.watch) setTimeout(endAnyway, ENDS_WITHIN_MS).unref();
  }

  #write(status: number): void {
    const lines = [
      ...(this.#programs ? [formatPrograms(this.#programs)] : []),
      formatTotals(this.#totals, status),
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
  }
}

function endAnyway(): void {
  process.stderr.write(`A test left something behind that keeps this run from ending.\n`);
  process.exit(1);
}

function totalsOf(module: TestModule): Totals {
  const states = [...module.children.allTests()].map((test) => test.result().state);
  const count = (...wanted: readonly (typeof states)[number][]): number =>
    states.filter((state) => wanted.includes(state)).length;
  const failed = count('failed');
  return {
    passed: count('passed'),
    // Loading the file or one of its hooks can fail without a test that fails.
    failed: failed === 0 && !module.ok() ? 1 : failed,
    skipped: count('skipped', 'pending'),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
