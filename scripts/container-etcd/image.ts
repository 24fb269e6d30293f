/**
 * The etcd image: the one that is asked for, and no other. Where none is, the public one where it is
 * present or can be pulled, else one made of a packaged etcd 3.5: the installed one, or Debian's. It
 * is never made of another version: a run that seems to be one on 3.5 would prove nothing of it.
 */
import { join } from 'node:path';
import { messageOf } from '../../src/lib/errors.ts';
import { findProgram } from '../parts/find-program.ts';
import { makeScratch } from '../parts/scratch.ts';
import { fetchFromDebian } from './debian-package.ts';
import { defaultEtcdImage } from './default-image.ts';
import { docker } from './docker.ts';
import { etcdVersion } from './etcd-version.ts';
import { makeInstalledImage } from './installed-image.ts';

const WANTED = /^3\.5\./;
const PULLED_WITHIN_MS = 60_000;
const ASKED_WITHIN_MS = 10_000;

interface Image extends AsyncDisposable {
  readonly name: string;
  /** In words. */
  readonly origin: string;
}

/** @throws with what to set, where there is none. */
export async function useImage(host: string): Promise<Image> {
  const asked = process.env['ROLLCALL_TEST_ETCD_IMAGE'];
  const name = asked || defaultEtcdImage;
  const kept = { name, async [Symbol.asyncDispose]() {} };
  if (await succeeds(docker({ host, withinMs: ASKED_WITHIN_MS }, 'image', 'inspect', name))) {
    return { ...kept, origin: `${name}, present` };
  }
  if (await succeeds(docker({ host, withinMs: PULLED_WITHIN_MS }, 'pull', '--quiet', name))) {
    return { ...kept, origin: `${name}, pulled` };
  }
  if (asked) {
    throw new Error(
      `ROLLCALL_TEST_ETCD_IMAGE is ${asked}, which is neither present nor can be pulled`,
    );
  }
  try {
    return await makePackaged(host);
  } catch (error) {
    throw new Error(
      `No etcd 3.5 to run in a container: ${name} cannot be pulled, and of Debian's package: ` +
        `${messageOf(error)}. Set ROLLCALL_TEST_ETCD_IMAGE to an image of etcd 3.5 that can be had.`,
      { cause: error },
    );
  }
}

async function makePackaged(host: string): Promise<Image> {
  await using scratch = await makeScratch('etcd-program');
  const installed = findProgram('etcd');
  const isInstalled = WANTED.test(await etcdVersion(installed));
  const from = isInstalled ? installed : join(scratch.path, 'etcd');
  if (!isInstalled) await fetchFromDebian({ name: 'etcd-server', program: 'usr/bin/etcd' }, from);
  const version = await etcdVersion(from);
  if (!WANTED.test(version)) throw new Error(`it is etcd ${version}`);
  // Of this run alone: what another run made of its own stays.
  const name = `rollcall-test/etcd:${process.pid}-${Date.now()}`;
  await makeInstalledImage(host, {
    ...{ name, from, to: '/usr/local/bin/etcd' },
    changes: ['ENV PATH=/usr/local/bin'],
  });
  const whose = isInstalled ? 'the installed etcd' : "Debian trixie's etcd-server";
  return {
    name,
    origin: `made of ${whose} since ${defaultEtcdImage} cannot be pulled`,
    [Symbol.asyncDispose]: async () =>
      void (await docker({ host, withinMs: ASKED_WITHIN_MS }, 'image', 'rm', '--force', name)),
  };
}

function succeeds(call: Promise<unknown>): Promise<boolean> {
  return call.then(
    () => true,
    () => false,
  );
}
