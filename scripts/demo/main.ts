/**
 * `npm start`: the whole of it on one machine, to look at or, with --story, to watch fail and heal.
 * Ends with 0 when stopped by hand or when the story saw what it should, with 1 when it did not,
 * with 2 for a wrong command line; in every case nothing it made is left.
 */
import { messageOf } from '../../src/lib/errors.ts';
import { shutdownSignal } from '../../src/lib/shutdown.ts';
import { startCluster } from './cluster.ts';
import { commandLine } from './command-line.ts';
import { live } from './live.ts';
import { progressLines } from './progress.ts';
import { tellStory } from './story.ts';

const request = commandLine(process.argv.slice(2));
const signal = shutdownSignal();

try {
  await using cluster = await startCluster(progressLines(), signal);
  if (request.story) process.exitCode = await tellStory(cluster, request, signal);
  else await live(cluster, signal);
} catch (error) {
  if (!signal.aborted) {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = 1;
  } else if (request.story) {
    process.stderr.write('stopped before its end\n');
    process.exitCode = 130;
  }
}
// A program that is just being started again would keep this one waiting; the guard ends it.
process.exit();
