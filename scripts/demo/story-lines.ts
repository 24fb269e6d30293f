/**
 * The lines of the story, at most 100 columns wide where every chapter passed. Pure.
 */
interface Figures {
  readonly name: string;
  readonly tookMs: number;
  readonly failed: number;
}

export function passedLine({
  name,
  seen,
  tookMs,
  failed,
}: Figures & { readonly seen: string }): string {
  return [
    name.padEnd(16),
    seen.padEnd(60),
    inSeconds(tookMs).padStart(7),
    `${failed} failed`.padStart(11),
  ].join(' ');
}

export function failedLine({
  name,
  faults,
  tookMs,
  failed,
}: Figures & { readonly faults: readonly string[] }): string {
  return `FAILED ${name}: ${faults.join('; ')} (${inSeconds(tookMs)}, ${requests(failed)} failed)`;
}

interface Totals {
  readonly passed: number;
  readonly chapters: number;
  readonly sent: number;
  readonly failed: number;
  readonly tookMs: number;
}

export function closingLine({ passed, chapters, sent, failed, tookMs }: Totals): string {
  // Each chapter says which failures its fault may cost; beyond those it does not pass.
  const allowed = failed > 0 && passed === chapters ? ', each for a fault that costs some' : '';
  return `${passed} of ${chapters} chapters passed in ${inSeconds(tookMs)}; ${requests(sent)} sent, ${failed} failed${allowed}`;
}

const requests = (count: number) =>
  `${count.toLocaleString('en')} request${count === 1 ? '' : 's'}`;

const inSeconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
