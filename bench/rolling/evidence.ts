/**
 * What was going on when a request failed: the steps of the restarts with their times, and at the
 * end the logs of all parts, kept in one directory for each way. Nothing is written where no
 * directory is named.
 */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Failed } from './kinds.ts';
import type { Site } from './site.ts';

const told = 20;

export interface Evidence {
  step(address: string, doing: string): void;
  failed(failed: Failed): void;
  keep(site: Site): Promise<void>;
}

/** @param loud each of the first failures is told on stderr, with the latest step of each backend. */
export function gatherEvidence(directory: string | undefined, loud: boolean): Evidence {
  const lines: string[] = [];
  const doing = new Map<string, string>();
  let failures = 0;
  return {
    step(address, what) {
      const at = new Date().toISOString();
      doing.set(address, `${what} since ${at}`);
      lines.push(`${at} ${address} ${what}`);
    },
    failed(failed) {
      const { kind, url, endedAt, outcome } = failed;
      const { failure, tried, tookMs, askedAgain } = outcome;
      const line =
        `${endedAt} ${kind} by ${url} after ${tookMs.toFixed(0)} ms: ${failure}` +
        `; tried: ${tried.join(', ') || 'unknown'}${askedAgain ? '; asked again' : ''}`;
      lines.push(line);
      failures += 1;
      if (!loud || failures > told) return;
      const steps = [...doing].map(([address, what]) => `  ${address} ${what}`);
      process.stderr.write(`\n${[line, ...steps].join('\n')}\n`);
    },
    async keep(site) {
      if (directory === undefined) return;
      await mkdir(directory, { recursive: true });
      const write = (name: string, text: readonly string[]) =>
        writeFile(join(directory, name), `${text.join('\n')}\n`);
      await write('steps.log', lines);
      for (const [n, { errorLog, balancer }] of site.fronts.entries()) {
        await copyFile(errorLog, join(directory, `nginx-${n}.log`));
        await write(
          `balancer-${n}.log`,
          balancer.log.map((record) => JSON.stringify(record)),
        );
      }
      for (const { apache, watchdog } of site.backends) {
        await write(
          `watchdog-of-${apache.name}.log`,
          watchdog.log.map((record) => JSON.stringify(record)),
        );
      }
    },
  };
}
