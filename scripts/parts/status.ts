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
  /** Held, and every live balancer has confirmed that its nginx serves it. */
  readonly inRotation: boolean;
  /** Whose nginx is confirmed to; nobody's where no balancer is known. */
  readonly servedBy: readonly string[];
  readonly waitsFor: readonly { readonly who: string; readonly why: string }[];
  /** Null: the key is not let go on purpose. */
  readonly drain: {
    readonly by: 'operator' | 'shutdown';
    readonly since: string;
    readonly revision: number | null;
    readonly stage: 'removing' | 'waiting' | 'alone' | 'lingering' | 'over';
    readonly end: string | null;
    readonly confirmed: readonly string[];
  } | null;
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
    /** How many generations of nginx live; null: its processes cannot be seen. */
    readonly living: number | null;
  };
  readonly confirmed: boolean;
  /** Why the wanted generation is not the confirmed one. */
  readonly trouble: string | null;
  /** What a change waits for. */
  readonly waiting: 'settling' | 'reloads' | 'generations' | null;
  readonly services: readonly {
    readonly name: string;
    readonly prefix: string;
    readonly source: 'nowhere' | 'disk' | 'etcd';
    readonly revision: { readonly wanted: number; readonly applied: number };
    readonly etcd: EtcdStatus;
    readonly records: Pick<EtcdStatus, 'connected' | 'trouble'>;
  }[];
  readonly backends: readonly {
    readonly service: string;
    readonly key: string;
    /** Null where the key holds none. */
    readonly address: string | null;
    readonly state: 'in pool' | 'held' | 'quarantined' | 'set aside' | 'drained';
    readonly reason?: string;
  }[];
  /** Of all services together: the worst of each. */
  readonly etcd: EtcdStatus;
}

export interface EtcdStatus {
  readonly connected: boolean;
  readonly trouble: string | null;
  /** Since the last complete listing. */
  readonly dataAgeMs: number | null;
  readonly missedEvents: number;
}
