/**
 * Tells the chapters one after the other, a steady client throughout. A chapter passes when it saw
 * what it should and no request failed but those that its fault may cost, the way back included.
 * Returns the exit status: 0 when every chapter passed.
 */
import logUpdate from 'log-update';
import { messageOf } from '../../src/lib/errors.ts';
import type { Chapter, Cost, Stage } from './chapter.ts';
import type { Cluster } from './cluster.ts';
import type { Request } from './command-line.ts';
import { putRight } from './put-right.ts';
import { now, type Sent, startSteadyClient, type SteadyClient } from './steady-client.ts';
import { closingLine, failedLine, passedLine } from './story-lines.ts';

interface Told {
  readonly line: string;
  readonly passed: boolean;
}

export async function tellStory(
  cluster: Cluster,
  { chapters, sabotaged }: Request,
  signal: AbortSignal,
): Promise<0 | 1> {
  const startedAt = now();
  using client = startSteadyClient(cluster.url);
  print(`\nA client asks ${cluster.url} ${client.perSecond} times a second, from here to the end:`);

  let passed = 0;
  for (const chapter of chapters) {
    if (process.stdout.isTTY) logUpdate(`${chapter.name.padEnd(16)} ${chapter.title} ...`);
    const stage = { cluster, client, signal, sabotaged: chapter === sabotaged };
    const told = await tell(chapter, stage);
    if (process.stdout.isTTY) logUpdate.clear();
    print(told.line);
    if (told.passed) passed += 1;
  }

  const sent = await client.startedBetween(startedAt, now());
  const tookMs = now() - startedAt;
  print(
    `\n${closingLine({ passed, chapters: chapters.length, failed: failedOf(sent).length, sent: sent.length, tookMs })}`,
  );
  return passed === chapters.length ? 0 : 1;
}

async function tell(chapter: Chapter, stage: Stage): Promise<Told> {
  const startedAt = now();
  const faults: string[] = [];
  const seen = await chapter.run(stage).catch((error: unknown) => {
    faults.push(messageOf(error));
    return undefined;
  });
  stage.signal.throwIfAborted();
  await putRight(stage.cluster, stage.signal).catch((error: unknown) => {
    faults.push(`the world not put right: ${messageOf(error)}`);
  });
  stage.signal.throwIfAborted();

  const failed = await failedSince(stage.client, startedAt);
  if (seen) faults.push(...beyondCost(failed, seen.cost));
  const figures = { name: chapter.name, tookMs: now() - startedAt, failed: failed.length };
  const passed = seen !== undefined && faults.length === 0;
  return {
    passed,
    line: passed ? passedLine({ ...figures, seen: seen.line }) : failedLine({ ...figures, faults }),
  };
}

function beyondCost(failed: readonly Sent[], cost: Cost | undefined): string[] {
  const unexpected = failed.filter((request) => !cost?.mayFail(request));
  if (unexpected.length > 0) {
    const reasons = [...new Set(unexpected.map(({ failure }) => failure))].join(', ');
    return [
      `expected no request to fail but for the fault itself, seen: ${unexpected.length} (${reasons})`,
    ];
  }
  if (cost && failed.length > cost.atMost) {
    return [`expected at most ${cost.atMost} requests to fail, seen: ${failed.length}`];
  }
  return [];
}

async function failedSince(client: SteadyClient, from: number): Promise<readonly Sent[]> {
  return failedOf(await client.startedBetween(from, now()));
}

const failedOf = (sent: readonly Sent[]) => sent.filter(({ failure }) => failure !== undefined);

const print = (line: string) => void process.stdout.write(`${line}\n`);
