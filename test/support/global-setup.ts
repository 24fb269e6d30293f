/**
 * Starts what the integration tests of one run share, and ends it with the run. A test takes it with
 * `inject('programs')` and keeps to a prefix of its own; one that stops or freezes etcd starts an
 * etcd of its own instead.
 */
import type { TestProject } from 'vitest/node';
import { startSharedEtcd } from './shared-etcd.ts';
import type { Programs } from './summary.ts';
import { apacheVersion, nginxVersion } from './versions.ts';

declare module 'vitest' {
  interface ProvidedContext {
    readonly programs: Programs;
    readonly etcdUrl: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const etcd = await startSharedEtcd();
  const { url, version, origin } = etcd;
  project.provide('etcdUrl', url);
  project.provide('programs', {
    etcd: { version, origin },
    nginx: nginxVersion(),
    apache: apacheVersion(),
  });
  return async () => etcd[Symbol.asyncDispose]();
}
