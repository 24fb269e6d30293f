/**
 * Each public image that the deployment stands on: the public one where it is present or can be
 * pulled, else a stand-in under a name of its own. No name of somebody else's is ever given away.
 */
import { docker } from '../container-etcd/docker.ts';
import type { BuildClient } from './client.ts';
import { type PublicImage, publicImages, publicNames } from './images.ts';
import { makeImage } from './made-image.ts';
import { standIns } from './stand-ins.ts';

const ASKED_WITHIN_MS = 10_000;
const PULLED_WITHIN_MS = 60_000;

export interface Base {
  readonly kind: PublicImage;
  readonly name: string;
  /** In words. */
  readonly origin: string;
}

export async function useBases(
  host: string,
  client: BuildClient,
): Promise<Readonly<Record<PublicImage, string>>> {
  // At once: a registry that cannot be reached is waited for once, not five times.
  const bases = await Promise.all(publicNames.map((kind) => useBase(host, client, kind)));
  for (const { origin } of bases) process.stderr.write(`image: ${origin}\n`);
  return Object.fromEntries(bases.map(({ kind, name }) => [kind, name])) as Record<
    PublicImage,
    string
  >;
}

async function useBase(host: string, client: BuildClient, kind: PublicImage): Promise<Base> {
  const wanted = publicImages[kind];
  const call = (withinMs: number, ...args: readonly string[]) =>
    succeeds(docker({ host, withinMs }, ...args));
  if (await call(ASKED_WITHIN_MS, 'image', 'inspect', wanted)) {
    return { kind, name: wanted, origin: `${wanted}, present` };
  }
  if (await call(PULLED_WITHIN_MS, 'pull', '--quiet', wanted)) {
    return { kind, name: wanted, origin: `${wanted}, pulled` };
  }
  const name = `rollcall-test/${kind}:installed`;
  await makeImage(client, { name, ...standIns[kind]() });
  return { kind, name, origin: `${name}, made of what is installed: ${wanted} cannot be pulled` };
}

function succeeds(call: Promise<unknown>): Promise<boolean> {
  return call.then(
    () => true,
    () => false,
  );
}
