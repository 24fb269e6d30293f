/**
 * What rollcall needs from etcd, and nothing more. The two loops know these
 * interfaces only, so the same loops run on the real etcd and on a simulated one.
 *
 * Every call ends within its deadline, by answering or by throwing. A throw means
 * "not known": the call may or may not have taken effect.
 */

/** One key as etcd holds it. */
export interface StoredKey {
  readonly key: string;
  /** At most a few hundred bytes of the value: more is never a backend. */
  readonly value: string;
  /** The true length of the value. */
  readonly valueBytes: number;
  readonly modRevision: number;
  /** '0': without a lease, as a key put by hand. */
  readonly leaseId: string;
}

export interface Listing {
  readonly clusterId: string;
  readonly revision: number;
  readonly keys: readonly StoredKey[];
}

export type StoreEvent =
  | { readonly kind: 'put'; readonly stored: StoredKey }
  | { readonly kind: 'delete'; readonly key: string; readonly modRevision: number };

export interface Lease {
  readonly leaseId: string;
  /** What etcd granted, which may be more than was asked. */
  readonly ttlMs: number;
}

/** What the watchdog needs. */
export interface LeaseStore {
  grantLease(ttlMs: number, signal: AbortSignal): Promise<Lease>;
  /** @returns the granted TTL in milliseconds, or 0 when the lease is gone. */
  renewLease(leaseId: string, signal: AbortSignal): Promise<number>;
  /** Its keys go with it. A lease that is gone already is no error. */
  revokeLease(leaseId: string, signal: AbortSignal): Promise<void>;
  /** Linearizable. */
  readKey(key: string, signal: AbortSignal): Promise<StoredKey | undefined>;
  /** @returns false when the key is no longer as `seen` (undefined: absent). */
  putIfUnchanged(
    put: { readonly key: string; readonly value: string; readonly leaseId: string },
    seen: StoredKey | undefined,
    signal: AbortSignal,
  ): Promise<boolean>;
}

export interface WatchHandlers {
  /** etcd has confirmed the watch: from here on silence means "no change". */
  readonly onReady: () => void;
  readonly onEvents: (events: readonly StoreEvent[]) => void;
}

/** What the balancer needs. A prefix is given without its closing slash. */
export interface PrefixStore {
  /** Linearizable and complete, at one revision. */
  list(prefix: string, signal: AbortSignal): Promise<Listing>;
  /** Ends only by throwing: the reason, or the signal's. It never resumes by itself. */
  watch(
    prefix: string,
    fromRevision: number,
    handlers: WatchHandlers,
    signal: AbortSignal,
  ): Promise<never>;
}
