/**
 * One nginx in a container on the network of this machine, with its directory at the same path
 * inside and outside. It goes at the end of its scope, whatever state it is in by then.
 */
import { randomUUID } from 'node:crypto';
import { docker } from '../container-etcd/docker.ts';
import type { NginxHome } from '../parts/nginx.ts';

const CALLED_WITHIN_MS = 15_000;

export interface NginxContainer extends AsyncDisposable {
  /** As the engine has it. */
  readonly name: string;
  /** Until then the engine knows nothing of it. */
  create(): Promise<void>;
  call(verb: 'start' | 'stop' | 'pause' | 'unpause'): Promise<void>;
  /** What another run of it would change: its id, its process on this machine, since when it runs. */
  run(): Promise<{ readonly id: string; readonly pid: number; readonly startedAt: string }>;
}

export interface ContainerPlan {
  readonly home: Pick<NginxHome, 'path' | 'conf'>;
  /** Runs below an init, so that nginx's number in there is not 1. */
  readonly init?: boolean;
}

const call = (...args: readonly string[]) =>
  docker({ host: process.env['DOCKER_HOST'], withinMs: CALLED_WITHIN_MS }, ...args);

export function nginxContainer({ home, init = false }: ContainerPlan): NginxContainer {
  const image = process.env['ROLLCALL_TEST_NGINX_IMAGE'];
  if (!image) throw new Error('no image of nginx: run these by npm run test:docker');
  const name = `rollcall-test-${randomUUID()}`;
  let created = false;
  return {
    name,
    create: async () => {
      created = true;
      await call(
        ...['create', '--name', name, '--network', 'host', ...(init ? ['--init'] : [])],
        // As the public image has it. It matters to SIGHUP too: without it the engine takes each
        // signal for the end of the container, and sets one that is paused going.
        ...['--stop-signal', 'SIGQUIT'],
        ...['--volume', `${home.path}:${home.path}`, image],
        ...['-c', home.conf, '-g', 'daemon off;'],
      );
    },
    call: async (verb) => void (await call(verb, name)),
    run: async () => {
      const format = '{{.Id}} {{.State.Pid}} {{.State.StartedAt}}';
      const [id = '', pid, startedAt = ''] = (
        await call('inspect', '--format', format, name)
      ).split(' ');
      return { id, pid: Number(pid), startedAt };
    },
    [Symbol.asyncDispose]: async () => {
      if (created) await call('rm', '--force', '--volumes', name);
    },
  };
}
