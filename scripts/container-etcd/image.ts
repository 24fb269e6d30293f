/**
 * The etcd image: the configured one where it is present or can be pulled, else one made of the
 * installed etcd and the libraries it needs.
 */
import { findProgram } from '../parts/find-program.ts';
import { defaultEtcdImage } from './default-image.ts';
import { docker } from './docker.ts';
import { makeInstalledImage } from './installed-image.ts';

const MADE = 'rollcall-test/etcd:installed';
const PULLED_WITHIN_MS = 60_000;
const ASKED_WITHIN_MS = 10_000;

interface Image extends AsyncDisposable {
  readonly name: string;
  /** In words. */
  readonly origin: string;
}

export async function useImage(host: string): Promise<Image> {
  const name = process.env['ROLLCALL_TEST_ETCD_IMAGE'] ?? defaultEtcdImage;
  const kept = { name, async [Symbol.asyncDispose]() {} };
  if (await succeeds(docker({ host, withinMs: ASKED_WITHIN_MS }, 'image', 'inspect', name))) {
    return { ...kept, origin: `${name}, present` };
  }
  if (await succeeds(docker({ host, withinMs: PULLED_WITHIN_MS }, 'pull', '--quiet', name))) {
    return { ...kept, origin: `${name}, pulled` };
  }
  await makeInstalledImage(host, {
    ...{ name: MADE, from: findProgram('etcd'), to: '/usr/local/bin/etcd' },
    changes: ['ENV PATH=/usr/local/bin'],
  });
  return {
    name: MADE,
    origin: `${MADE}, made of the installed etcd since ${name} cannot be pulled`,
    [Symbol.asyncDispose]: async () =>
      void (await docker({ host, withinMs: ASKED_WITHIN_MS }, 'image', 'rm', '--force', MADE)),
  };
}

function succeeds(call: Promise<unknown>): Promise<boolean> {
  return call.then(
    () => true,
    () => false,
  );
}
