/**
 * The one etcd that all integration tests of a run share. From a container where an engine answers
 * and has the image or can pull it; else from the installed program.
 *
 * ROLLCALL_TEST_ETCD: `container` or `program` insists on one of the two.
 * ROLLCALL_TEST_ETCD_IMAGE: the image.
 */
import { defaultEtcdImage } from '../../scripts/container-etcd/default-image.ts';
import { startEtcd } from '../../scripts/parts/etcd.ts';
import { startContainerEtcd } from './container-etcd.ts';

export interface SharedEtcd extends AsyncDisposable {
  readonly url: string;
  readonly version: string;
  /** In words, for the summary. */
  readonly origin: string;
}

export async function startSharedEtcd(): Promise<SharedEtcd> {
  const wanted = process.env['ROLLCALL_TEST_ETCD'] ?? 'either';
  if (wanted === 'program') return startProgramEtcd('installed');

  const image = process.env['ROLLCALL_TEST_ETCD_IMAGE'] ?? defaultEtcdImage;
  const started = await startContainerEtcd(image);
  if (!('unavailable' in started)) return started;
  if (wanted === 'container') throw new Error(`No etcd from a container: ${started.unavailable}`);
  return startProgramEtcd(`installed; no container: ${started.unavailable}`);
}

async function startProgramEtcd(origin: string): Promise<SharedEtcd> {
  const etcd = await startEtcd();
  const { url, version } = etcd;
  return { url, version, origin, [Symbol.asyncDispose]: () => etcd[Symbol.asyncDispose]() };
}
