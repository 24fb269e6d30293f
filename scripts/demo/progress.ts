/**
 * One line for each step of the preparation, with the time it took.
 */
export type Step = <T>(what: string, work: () => Promise<T>) => Promise<T>;

export function progressLines(write = (text: string) => void process.stdout.write(text)): Step {
  return async (what, work) => {
    const startedAt = performance.now();
    // On a terminal the line stands there while the step runs.
    if (process.stdout.isTTY) write(`  ${what} ...`);
    const result = await work().catch((error: unknown) => {
      if (process.stdout.isTTY) write('\n');
      throw error;
    });
    const took = ((performance.now() - startedAt) / 1000).toFixed(1);
    write(`${process.stdout.isTTY ? '\r' : ''}  ${what.padEnd(64)} ${took.padStart(5)} s\n`);
    return result;
  };
}
