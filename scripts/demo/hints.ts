/**
 * What a person may try on the running cluster, with the numbers filled in.
 */
import type { Program } from '../parts/program.ts';
import { prefix } from './cadence.ts';
import type { Cluster } from './cluster.ts';
import { REVIVED_AFTER_MS } from './reviver.ts';

export function hints({ etcd, backends, nginx }: Cluster): string {
  const apaches = backends.map(({ apache }) => withPid(apache)).join('   ');
  const example = backends[0]?.apache.pid ?? 'PID';
  return [
    'Look at the keys',
    `  ETCDCTL_API=3 etcdctl --endpoints ${etcd.url} get --prefix ${prefix}`,
    'Freeze an apache, resume it, kill it',
    `  kill -STOP -${example}     kill -CONT -${example}     kill -KILL -${example}`,
    `  ${apaches}`,
    `  ${withPid(nginx)}   ${withPid(etcd)}`,
    `What you end is started again after ${REVIVED_AFTER_MS / 1000} s.`,
  ].join('\n');
}

const withPid = ({ name, pid }: Program) => `${name} ${pid ?? 'ended'}`;
