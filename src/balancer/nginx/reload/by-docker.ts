/** SIGHUP by the Docker Engine's own API on its unix socket; no docker client is needed. */
import { Client } from 'undici';
import type { Clock } from '../../../lib/clock.ts';
import { withDeadline } from '../../../lib/deadline.ts';
import { messageOf } from '../../../lib/errors.ts';

const timeoutMs = 5000;
const defaultSocket = '/var/run/docker.sock';

/** @returns undefined when the engine accepted, else its own words. */
export async function reloadByDocker(
  container: string,
  clock: Clock,
  signal: AbortSignal,
  socketPath = defaultSocket,
): Promise<string | undefined> {
  const client = new Client('http://docker', { connect: { socketPath } });
  try {
    return await withDeadline(
      { what: `docker kill ${container}`, timeoutMs, clock },
      async (within) => {
        const { statusCode, body } = await client.request({
          method: 'POST',
          path: `/containers/${encodeURIComponent(container)}/kill?signal=HUP`,
          signal: within,
        });
        const text = await body.text();
        return statusCode === 204 ? undefined : `docker answers ${statusCode}: ${wordsOf(text)}`;
      },
      signal,
    );
  } catch (error) {
    return `docker at ${socketPath}: ${messageOf(error)}`;
  } finally {
    client.destroy().catch(() => {});
  }
}

/** The engine says {"message": "..."}. */
function wordsOf(text: string): string {
  const message = /"message":("(?:[^"\\]|\\.)*")/.exec(text)?.[1];
  return message ? String(JSON.parse(message)) : text.trim();
}
