/**
 * What the balancer asks of nginx: to check a file, to load it, and to say which
 * generation it serves. Each has a deadline and returns a value; only nginx's own
 * answer counts as success, since a reload can be refused with exit status 0.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../../lib/clock.ts';
import { codeOf, DeadlineError, messageOf } from '../../lib/errors.ts';
import { httpGet } from '../../lib/http-get.ts';
import { failureOf, runCommand } from '../../lib/run-command.ts';
import type { ReloadMethod } from '../../options/nginx-values.ts';
import type { NginxAnswer } from './answer.ts';
import { reloadByCommand } from './reload/by-command.ts';
import { reloadByDocker } from './reload/by-docker.ts';
import { reloadBySignal } from './reload/by-signal.ts';
import { readWorkers, type Workers } from './workers.ts';

/** nginx's check of 10,000 servers takes 20 ms; a slow disk or name look-up takes longer. */
const checkTimeoutMs = 10_000;
const askTimeoutMs = 500;

export type CheckVerdict =
  | { readonly kind: 'accepted' }
  /** nginx read the file and will not have it. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** The check came to no end, or could not begin: that says nothing about the file. */
  | { readonly kind: 'not checked'; readonly reason: string };

export interface Nginx {
  check(path: string, signal: AbortSignal): Promise<CheckVerdict>;
  /** Of all that nginx would read, the files included in it too; undefined: it cannot be told. */
  fingerprint(path: string, signal: AbortSignal): Promise<string | undefined>;
  /** @returns undefined when nginx was told, else why not, on one line. */
  reload(signal: AbortSignal): Promise<string | undefined>;
  answer(signal: AbortSignal): Promise<NginxAnswer>;
  /** Its processes; undefined: they cannot be seen from here. */
  workers(): Promise<Workers | undefined>;
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
    check: async (path, signal) => {
      const command = [nginxBin, '-t', '-q', '-c', path] as const;
      const result = await runCommand(command, checkTimeoutMs, signal);
      const reason = failureOf(result);
      if (reason === undefined) return { kind: 'accepted' };
      return result.kind === 'exited'
        ? { kind: 'refused', reason: `nginx refuses the file: ${reason}` }
        : { kind: 'not checked', reason: `nginx did not check the file: ${reason}` };
    },

    fingerprint: async (path, signal) => {
      const hash = createHash('sha256');
      // The first line names the file, which is another one while it is staged.
      let named = false;
      const command = [nginxBin, '-T', '-q', '-c', path] as const;
      const result = await runCommand(command, checkTimeoutMs, signal, (text) => {
        const from = named ? 0 : text.indexOf('\n') + 1;
        named ||= from > 0;
        if (named) hash.update(text.slice(from));
      });
      return failureOf(result) === undefined ? hash.digest('hex') : undefined;
    },

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
        const worker = /"worker":(\d+)/.exec(body)?.[1];
        if (status === 200 && generation) {
          return { kind: 'serves', generation, ...(worker && { worker: Number(worker) }) };
        }
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

    workers: () => readWorkers(nginxPid),
  };
}
