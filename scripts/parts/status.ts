/**
 * What the two commands say about themselves at /status, as those who script against it read it.
 */
export interface WatchdogStatus {
  readonly key: string;
  readonly address: string;
  readonly state: 'starting' | 'up' | 'failing' | 'down' | 'rising';
  readonly since: string;
  readonly lastProbe: {
    readonly passed: boolean;
    readonly reason?: string;
    readonly durationMs: number;
    readonly at: string;
  } | null;
  /** Why the last probe failed that changed the state for the worse. */
  readonly reason: string | null;
  readonly registered: boolean;
  readonly registration: string;
  readonly instance: string;
  readonly host: string;
  readonly recordKey: string;
  readonly outlivesAtMostMs: {
    readonly deadMs: number;
    readonly hungMs: number;
    readonly unwatchedMs: number;
    readonly unansweredMs: number;
  };
}

export interface BalancerStatus {
  readonly generation: {
    readonly wanted: string | null;
    readonly onDisk: string | null;
    readonly running: string | null;
  };
  readonly confirmed: boolean;
  readonly revision: string | null;
  readonly backends: readonly {
    readonly key: string;
    /** Null where the key holds none. */
    readonly address: string | null;
    readonly state: 'in pool' | 'held' | 'set aside';
    readonly reason?: string;
  }[];
  readonly etcd: { readonly connected: boolean; readonly dataAgeMs: number | null };
}
