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
  /** At most 4 KiB of the value: more is neither a backend nor a record. */
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

/** Some keys and all below a prefix, at one revision. */
export interface Moment {
  readonly clusterId: string;
  readonly revision: number;
  /** In the order asked for. */
  readonly keys: readonly (StoredKey | undefined)[];
  readonly below: readonly StoredKey[];
}

/** One key, or all below a prefix that is given without its closing slash. */
export type Place = { readonly key: string } | { readonly below: string };

export type StoreEvent =
  | { readonly kind: 'put'; readonly stored: StoredKey }
  | { readonly kind: 'delete'; readonly key: string; readonly modRevision: number };

export interface Lease {
  readonly leaseId: string;
  /** What etcd granted, which may be more than was asked. */
  readonly ttlMs: number;
}

/** What must still be true for a change to be made. Revision 0: the key is absent. */
export type Guard =
  | { readonly key: string; readonly modRevision: number }
  | { readonly key: string; readonly leaseId: string };

export type Write =
  | { readonly kind: 'put'; readonly key: string; readonly value: string; readonly leaseId: string }
  | { readonly kind: 'delete'; readonly key: string };

/** What the watchdog needs. */
export interface LeaseStore {
  grantLease(ttlMs: number, signal: AbortSignal): Promise<Lease>;
  /** @returns the granted TTL in milliseconds, or 0 when the lease is gone. */
  renewLease(leaseId: string, signal: AbortSignal): Promise<number>;
  /** Its keys go with it. A lease that is gone already is no error. */
  revokeLease(leaseId: string, signal: AbortSignal): Promise<void>;
  /** @returns what a lease, anybody's, has left, in whole seconds as milliseconds; 0 when it is gone. */
  leaseRemainingMs(leaseId: string, signal: AbortSignal): Promise<number>;
  /** Linearizable, all at one revision, in the order asked for. */
  readKeys(
    keys: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly (StoredKey | undefined)[]>;
  /**
   * Linearizable, all at one revision.
   * @param below without its closing slash.
   * @param limit at most so many of those below, the first by name.
   */
  readMoment(
    keys: readonly string[],
    below: string,
    limit: number,
    signal: AbortSignal,
  ): Promise<Moment>;
  /**
   * All writes or none, at one revision. Under the lease '0' a key is put without one.
   * @returns that revision; undefined when a guard no longer holds.
   */
  change(
    guards: readonly Guard[],
    writes: readonly Write[],
    signal: AbortSignal,
  ): Promise<number | undefined>;
  /**
   * Tells that something was put or deleted there, by anybody. A hint: nothing may depend on
   * it. Ends only by throwing: the reason, or the signal's. It never resumes by itself.
   */
  watchPlaces(places: readonly Place[], onChange: () => void, signal: AbortSignal): Promise<never>;
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
