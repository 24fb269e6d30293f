/**
 * The etcd that an image holds, as a program of this machine: tests that stop, freeze or secure an
 * etcd start their own, and it is to be the one that runs in the container.
 */
import { join } from 'node:path';
import { messageOf } from '../../src/lib/errors.ts';
import { makeScratch } from '../parts/scratch.ts';
import { docker } from './docker.ts';
import { etcdVersion } from './etcd-version.ts';

const COPIED_WITHIN_MS = 30_000;
const PLACES = ['/usr/local/bin/etcd', '/usr/bin/etcd'];

interface ImageProgram extends AsyncDisposable {
  /** It alone lies in it, for PATH. */
  readonly directory: string;
  readonly version: string;
}

export async function takeProgram(host: string, image: string): Promise<ImageProgram> {
  await using stack = new AsyncDisposableStack();
  const { path: directory } = stack.use(await makeScratch('etcd-program'));
  const program = join(directory, 'etcd');
  await copyOut(host, image, program);
  const version = await etcdVersion(program).catch((error: unknown) => {
    throw new Error(`The etcd of ${image} does not run on this machine: ${messageOf(error)}`);
  });
  const owned = stack.move();
  return { directory, version, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Out of a container that never runs. */
async function copyOut(host: string, image: string, to: string): Promise<void> {
  const call = { host, withinMs: COPIED_WITHIN_MS };
  await using stack = new AsyncDisposableStack();
  const id = await docker(call, 'create', image, 'etcd');
  stack.defer(async () => void (await docker(call, 'rm', '--force', '--volumes', id)));
  for (const place of PLACES) {
    const copied = docker(call, 'cp', '--follow-link', `${id}:${place}`, to);
    if ((await copied.catch(() => undefined)) !== undefined) return;
  }
  throw new Error(`${image} holds no etcd at ${PLACES.join(' nor ')}`);
}
