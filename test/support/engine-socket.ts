/**
 * The engine's socket as a balancer finds it at its usual place, without any change to that place
 * on this machine. What is said goes on to the engine as it is, and each request is noted.
 */
import { once } from 'node:events';
import { link, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { makeScratch } from '../../scripts/parts/scratch.ts';

export interface Asked {
  /** The first line of the request. */
  readonly line: string;
  readonly atMs: number;
}

export interface EngineSocket extends AsyncDisposable {
  readonly asked: readonly Asked[];
  /**
   * The words before a program: it finds this socket, and no program by name.
   * @param ownNumbers its processes have numbers of their own, as in a container.
   */
  launcher(ownNumbers: boolean): readonly string[];
  /** Nobody listens any more; the socket is still there, as one that was killed leaves it. */
  desert(): Promise<void>;
  remove(): Promise<void>;
  open(): Promise<void>;
}

const place = '/var/run';

export async function openEngineSocket(): Promise<EngineSocket> {
  await using stack = new AsyncDisposableStack();
  const scratch = stack.use(await makeScratch('engine-socket'));
  const path = join(scratch.path, 'docker.sock');
  const asked: Asked[] = [];
  let server: Server | undefined;

  const desert = async () => {
    const closed = server && once(server, 'close');
    server?.close();
    server = undefined;
    await closed;
  };
  const remove = () => rm(path, { force: true });
  const open = async () => {
    await desert();
    await remove();
    server = createServer((near) => relay(near, asked)).listen(`${path}.first`);
    await once(server, 'listening');
    // Closing takes away the first name only.
    await link(`${path}.first`, path);
  };
  stack.defer(desert);
  await open();

  const owned = stack.move();
  return {
    ...{ asked, desert, remove, open },
    launcher: (ownNumbers) => [
      ...['unshare', '--mount'],
      ...(ownNumbers ? ['--pid', '--fork', '--kill-child', '--mount-proc'] : []),
      ...['sh', '-c'],
      `mount -t tmpfs none ${place} && ln -s "$0" ${place}/docker.sock && exec env PATH=/nowhere "$@"`,
      path,
    ],
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function relay(near: Socket, asked: Asked[]): void {
  near.once('data', (chunk: Buffer) => {
    asked.push({ line: chunk.toString().split('\r\n', 1)[0] ?? '', atMs: Date.now() });
  });
  const { protocol, hostname, port, pathname } = new URL(
    process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock',
  );
  const far = protocol === 'unix:' ? connect(pathname) : connect(Number(port), hostname);
  near.pipe(far).pipe(near);
  // Either end may go at any time; the other one follows.
  for (const [end, other] of [
    [near, far],
    [far, near],
  ] as const) {
    end.on('error', () => {}).on('close', () => other.destroy());
  }
}
