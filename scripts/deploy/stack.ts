/**
 * A stack of docker/compose.yaml under a project name, a network and ports of its own, so that it runs
 * beside others. At the end of its scope it goes with its volumes, whatever state it is in by then.
 */
import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { promisify } from 'node:util';
import { docker } from '../container-etcd/docker.ts';
import { httpGet } from '../parts/http-get.ts';
import { freePort } from '../parts/ports.ts';
import { waitUntil } from '../parts/wait-until.ts';
import { type Images, imagesOfRun } from './images.ts';

const CALLED_WITHIN_MS = 30_000;
/** A drain's timeout and the start of everything, on a machine as busy as it is. */
const BROUGHT_WITHIN_MS = 150_000;

const ANSWERED_WITHIN_MS = 2000;
/** More than any pool of a test has, several times over: each worker of nginx counts for itself. */
const MANY = 20;

const run = promisify(execFile);

const call = (...words: readonly string[]) =>
  docker({ host: process.env['DOCKER_HOST'], withinMs: CALLED_WITHIN_MS }, ...words);

export interface Run {
  readonly id: string;
  readonly pid: number;
  readonly startedAt: string;
}

export interface Stack extends AsyncDisposable {
  readonly project: string;
  readonly env: Readonly<Record<string, string>>;
  /** Where nginx is published. */
  readonly url: string;
  readonly prometheusUrl: string;
  /** `docker compose WORDS`; what it printed, or an error that holds it. */
  readonly compose: (...words: readonly string[]) => Promise<string>;
  readonly up: (...words: readonly string[]) => Promise<string>;
  /** What another run of the service's container would change. */
  readonly runOf: (service: string) => Promise<Run>;
  /** What a command in the service's container prints. */
  readonly exec: (service: string, ...words: readonly string[]) => Promise<string>;
  /** By rollcall's own health command. */
  readonly untilReady: (service: string, withinMs?: number) => Promise<void>;
  /** The pages that nginx answers with, of many requests. */
  readonly bodies: () => Promise<readonly string[]>;
  /** As lines of `KEY VALUE`. */
  readonly keys: () => Promise<readonly string[]>;
}

export interface StackPlan {
  readonly files?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export async function planStack(plan: StackPlan = {}): Promise<Stack> {
  const project = `rollcall-test-${process.pid}-${randomInt(1e6)}`;
  const [http, prometheus] = [await freePort(), await freePort()];
  const env = {
    ...imageVariables(imagesOfRun()),
    NETWORK: `10.${randomInt(64, 128)}.${randomInt(256)}`,
    HTTP_PORT: String(http),
    PROMETHEUS_PORT: String(prometheus),
    ...plan.env,
  };
  const url = `http://127.0.0.1:${env.HTTP_PORT}/`;
  const compose = composeOf({ project, env, files: plan.files ?? ['docker/compose.yaml'] });
  const nameOf = (service: string) => `${project}-${service}-1`;
  const exec = (service: string, ...words: readonly string[]) =>
    call('exec', nameOf(service), ...words);
  return {
    ...{ project, env, compose, exec },
    url,
    prometheusUrl: `http://127.0.0.1:${env.PROMETHEUS_PORT}`,
    up: (...words) => compose('up', '--detach', '--wait', '--no-build', ...words),
    runOf: async (service) => {
      const format = '{{.Id}} {{.State.Pid}} {{.State.StartedAt}}';
      const [id = '', pid, startedAt = ''] = (
        await call('inspect', '--format', format, nameOf(service))
      ).split(' ');
      return { id, pid: Number(pid), startedAt };
    },
    untilReady: async (service, withinMs = 40_000) => {
      await waitUntil({ expected: `${service} ready`, withinMs, everyMs: 200 }, () =>
        exec(service, 'rollcall', 'health', '--ready').then(
          () => true as const,
          (error: unknown) => String(error),
        ),
      );
    },
    bodies: async () => {
      const seen = new Set<string>();
      for (let n = 0; n < MANY; n += 1)
        seen.add((await httpGet(url, ANSWERED_WITHIN_MS)).body.trim());
      return [...seen].toSorted();
    },
    keys: async () => {
      const lines = (await exec('etcd', 'etcdctl', 'get', '--prefix', '/test/')).split('\n');
      return lines.flatMap((line, at) => (at % 2 === 0 && line ? `${line} ${lines[at + 1]}` : []));
    },
    [Symbol.asyncDispose]: async () => {
      await compose('down', '--volumes', '--remove-orphans', '--timeout', '1');
    },
  };
}

export function composeOf(plan: {
  readonly project: string;
  readonly env: Readonly<Record<string, string>>;
  readonly files: readonly string[];
}): Stack['compose'] {
  const files = plan.files.flatMap((file) => ['--file', file]);
  return async (...words) => {
    const { stdout, stderr } = await run(
      'docker',
      ['compose', '--project-name', plan.project, '--progress', 'plain', ...files, ...words],
      { env: { ...process.env, ...plan.env }, timeout: BROUGHT_WITHIN_MS },
    );
    return stdout + stderr;
  };
}

function imageVariables(images: Images): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(images).map(([kind, name]) => [`${kind.toUpperCase()}_IMAGE`, name]),
  );
}
