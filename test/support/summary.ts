/**
 * The last lines of a test run, as text: which programs it ran on, and the totals.
 *
 * The totals never look better than the exit status: a run that ended badly without a failed test
 * (a file that did not load, a set-up that failed, no test at all) counts one failure.
 */

export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export interface Programs {
  readonly etcd: { readonly version: string; readonly origin: string };
  readonly nginx: string;
  readonly apache: string;
}

export function formatPrograms({ etcd, nginx, apache }: Programs): string {
  return `etcd ${etcd.version} (${etcd.origin}), nginx ${nginx}, apache ${apache}`;
}

export function formatTotals({ passed, failed, skipped }: Totals, exitStatus: number): string {
  const failures = exitStatus !== 0 && failed === 0 ? 1 : failed;
  const totals = `${passed} passed, ${failures} failed`;
  return skipped > 0 ? `${totals}, ${skipped} skipped` : totals;
}
