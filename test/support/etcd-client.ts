/** The etcd client for the length of a scope, with an end to each of its calls. */
import { Etcd3 } from 'etcd3';

const calledWithinMs = 5000;

export interface EtcdClient extends Disposable {
  readonly etcd: Etcd3;
}

const deadline = () => ({ deadline: Date.now() + calledWithinMs });

export function openEtcdClient(url: string): EtcdClient {
  const etcd = new Etcd3({ hosts: url, defaultCallOptions: deadline });
  return { etcd, [Symbol.dispose]: () => etcd.close() };
}
