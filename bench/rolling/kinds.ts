/** The kinds of request of the rolling restart, what each is, and what is counted of each. Pure. */
import { slowPage } from './apache-extra.ts';

export interface Kind {
  readonly name: string;
  readonly path: string;
  readonly method: 'GET' | 'POST';
  /** Each worker asks on one connection again and again, not on a new one each time. */
  readonly kept: boolean;
  /** So many ask side by side, each as soon as this pause after its last answer is over. */
  readonly workers: number;
  readonly pauseMs: number;
}

export const kinds: readonly Kind[] = [
  { name: 'GET', path: '', method: 'GET', kept: false, workers: 6, pauseMs: 40 },
  { name: 'kept-alive GET', path: '', method: 'GET', kept: true, workers: 6, pauseMs: 40 },
  { name: 'POST', path: 'echo', method: 'POST', kept: false, workers: 4, pauseMs: 40 },
  { name: 'GET of 2 s', path: 'slow', method: 'GET', kept: false, workers: 8, pauseMs: 0 },
];

const postBytes = 2048;

/** Different for each number, so that an answer meant for another request is noticed. */
export const postBody = (n: number): string => `${n} `.repeat(postBytes).slice(0, postBytes);

/** @param sent the body of the request. */
export function isRight({ path }: Kind, sent: string, answer: string): boolean {
  if (path === 'slow') return answer === slowPage;
  if (path === 'echo') return answer === sent;
  return /^<!doctype html>\n<title>(apache-\d+)<\/title>\n<h1>\1<\/h1>\n$/.test(answer);
}

export interface Outcome {
  /** Undefined: 200 with the right body. */
  readonly failure: string | undefined;
  /** Written on a kept connection that ended without a byte of an answer, so asked once more on a new one. */
  readonly askedAgain: boolean;
  /** The backends that nginx tried, in turn. */
  readonly tried: readonly string[];
  readonly tookMs: number;
}

export interface Failed {
  readonly kind: string;
  readonly url: string;
  readonly endedAt: string;
  readonly outcome: Outcome;
}

/** Of one kind. */
export interface Count {
  requests: number;
  failed: number;
  askedAgain: number;
  /** Sent by nginx to a second backend, since the first did not answer. */
  passedOn: number;
}

export const noCount = (): Count => ({ requests: 0, failed: 0, askedAgain: 0, passedOn: 0 });

export function add(count: Count, { failure, askedAgain, tried }: Outcome): void {
  count.requests += 1;
  if (failure !== undefined) count.failed += 1;
  if (askedAgain) count.askedAgain += 1;
  if (tried.length > 1) count.passedOn += 1;
}
