/**
 * Everything that happens to the acknowledgements of balancers, as etcd tells a watch: nobody could
 * have known any of it sooner.
 */
import type { IKeyValue } from 'etcd3';
import { type Wait, waitUntil } from '../../scripts/parts/wait-until.ts';
import { type Acknowledgement, parseAcknowledgement } from '../../src/registry/acknowledgement.ts';
import { openEtcdClient } from './etcd-client.ts';

export interface AcknowledgementChange {
  readonly key: string;
  /** Undefined: the key went. */
  readonly said: Acknowledgement | undefined;
  /** Of the store. */
  readonly revision: number;
  /** '0': without a lease. */
  readonly leaseId: string;
}

export interface AcknowledgementWatch extends AsyncDisposable {
  readonly changes: readonly AcknowledgementChange[];
  /** What is there now, by key. */
  readonly there: () => ReadonlyMap<string, AcknowledgementChange>;
  /** The one balancer's latest word on the prefix; undefined: its key is not there. */
  readonly last: (prefix: string) => Acknowledgement | undefined;
  /** Waits for the first change of that prefix, from now on or before, that is so. */
  readonly until: (
    wait: Wait,
    prefix: string,
    holds: (said: Acknowledgement) => boolean,
  ) => Promise<AcknowledgementChange>;
}

const lookEveryMs = 2;

/** @param fromRevision what happened before it is left out; without it, all before now. */
export async function watchAcknowledgements(
  etcdUrl: string,
  recordPrefix: string,
  fromRevision?: number,
): Promise<AcknowledgementWatch> {
  await using stack = new AsyncDisposableStack();
  const { etcd } = stack.use(openEtcdClient(etcdUrl));
  const changes: AcknowledgementChange[] = [];
  const asked = etcd.watch().prefix(`${recordPrefix}/balancers/`);
  if (fromRevision !== undefined) asked.startRevision(String(fromRevision));
  const watcher = stack.adopt(await asked.create(), (open) => open.cancel());
  const tell = (isPut: boolean) => (kv: IKeyValue) => {
    const parsed = isPut ? parseAcknowledgement(kv.value.toString()) : undefined;
    changes.push({
      key: kv.key.toString(),
      said: parsed?.ok ? parsed.value : undefined,
      revision: Number(kv.mod_revision),
      leaseId: kv.lease,
    });
  };
  watcher.on('put', tell(true)).on('delete', tell(false));

  const there = () => {
    const now = new Map<string, AcknowledgementChange>();
    for (const change of changes) {
      if (change.said) now.set(change.key, change);
      else now.delete(change.key);
    }
    return now;
  };
  const isAbout = (prefix: string) => (change: AcknowledgementChange) =>
    change.key.startsWith(`${recordPrefix}/balancers${prefix}/`);
  const last = (prefix: string) => [...there().values()].findLast(isAbout(prefix))?.said;
  const owned = stack.move();
  return {
    changes,
    there,
    last,
    until: async (wait, prefix, holds) => {
      let found: AcknowledgementChange | undefined;
      await waitUntil({ everyMs: lookEveryMs, ...wait }, () => {
        found = changes
          .filter(isAbout(prefix))
          .find(({ said }) => said !== undefined && holds(said));
        return found ? true : JSON.stringify(last(prefix) ?? 'none');
      });
      if (!found) throw new Error('nothing was found');
      return found;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
