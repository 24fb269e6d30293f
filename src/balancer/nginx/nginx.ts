/**
 * What the balancer asks of nginx: to check a file, to load it, and to say which
 * generation it serves. Each has a deadline and returns a value; only nginx's own
 * answer counts as success, since a reload can be refused with exit status 0.
 */
import type { Clock } from '../../lib/clock.ts';
import { codeOf, DeadlineError, messageOf } from '../../lib/errors.ts';
import { httpGet } from '../../lib/http-get.ts';
import { failureOf, runCommand } from '../../lib/run-command.ts';
import type { ReloadMethod } from '../../options/nginx-values.ts';
import { reloadByCommand } from './reload/by-command.ts';
import { reloadByDocker } from './reload/by-docker.ts';
import { reloadBySignal } from './reload/by-signal.ts';
import type { NginxAnswer } from '../rollout/rollout.ts';

/** nginx's check of 10,000 servers takes 20 ms; a slow disk or name look-up takes longer. */
const checkTimeoutMs = 10_000;
const askTimeoutMs = 500;

/** @returns undefined when it was done, else why not, on one line. */
type Attempt = Promise<string | undefined>;

export interface Nginx {
  check(path: string, signal: AbortSignal): Attempt;
  reload(signal: AbortSignal): Attempt;
  answer(signal: AbortSignal): Promise<NginxAnswer>;
}

export interface NginxSettings {
  readonly nginxBin: string;
  readonly nginxPid: string;
  readonly reload: ReloadMethod;
  readonly confirmUrl: string;
}

export function nginxControl(
  { nginxBin, nginxPid, reload, confirmUrl }: NginxSettings,
  clock: Clock,
): Nginx {
  return {
    check: async (path, signal) =>
      failureOf(await runCommand([nginxBin, '-t', '-q', '-c', path], checkTimeoutMs, signal)),

    reload: async (signal) => {
      switch (reload.kind) {
        case 'signal':
          return await reloadBySignal(nginxPid);
        case 'docker':
          return await reloadByDocker(reload.container, clock, signal);
        case 'exec':
          return await reloadByCommand(reload.command, signal);
        default:
          return reload satisfies never;
      }
    },

    answer: async (signal) => {
      try {
        const get = { url: confirmUrl, timeoutMs: askTimeoutMs, clock, readBytes: 1024 };
        const { status, body } = await httpGet(get, signal);
        const generation = /"generation":"([0-9a-f]{12})"/.exec(body)?.[1];
        if (status === 200 && generation) return { kind: 'serves', generation };
        return { kind: 'silent', reason: `${confirmUrl} answers ${status}, not with a generation` };
      } catch (error) {
        if (error instanceof DeadlineError) return { kind: 'late', reason: error.message };
        const reason =
          codeOf(error) === 'ECONNREFUSED'
            ? `nothing listens on ${confirmUrl}: nginx is not running, or not on our file`
            : messageOf(error);
        return { kind: 'silent', reason };
      }
    },
  };
}
