/**
 * Why a probe failed, in the words that an operator searches for: one printable line of
 * bounded length, whatever the server sent. Pure.
 */
import { codeOf, DeadlineError, messageOf } from '../../lib/errors.ts';
import type { FailureKind, ProbePhase } from './result.ts';
import type { Cause } from './verdict.ts';

const mostLetters = 200;

export function printable(text: string): string {
  const line = text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[^\x20-\x7e]/g, '?')
    .trim();
  return line.length > mostLetters ? `${line.slice(0, mostLetters - 3)}...` : line;
}

const known: Readonly<Record<string, readonly [FailureKind, string]>> = {
  ECONNREFUSED: ['refused', 'connection refused'],
  ECONNRESET: ['reset', 'connection reset by peer'],
  EPIPE: ['reset', 'connection reset by peer'],
  ECONNABORTED: ['reset', 'connection aborted'],
  EHOSTUNREACH: ['unreachable', 'no route to host'],
  ENETUNREACH: ['unreachable', 'network is unreachable'],
  ETIMEDOUT: ['timeout', 'connection timed out'],
  EMFILE: ['other', 'too many open files in this process: EMFILE'],
  UND_ERR_HEADERS_OVERFLOW: ['other', 'headers of the answer larger than 16 KiB'],
};

/** @param timeoutMs of the probe that ended in this phase by throwing. */
export function causeOf(error: unknown, phase: ProbePhase, timeoutMs: number): Cause {
  if (error instanceof DeadlineError) {
    return {
      kind: 'timeout',
      reason: `timeout: no ${missing[phase]} within ${timeoutMs} ms (in ${phase})`,
    };
  }
  const [kind, reason] = wordsFor(error, codeOf(error) ?? '', phase);
  return { kind, reason: printable(reason) };
}

const missing: Readonly<Record<ProbePhase, string>> = {
  lookup: 'answer',
  connect: 'answer',
  tls: 'answer',
  headers: 'answer',
  body: 'complete answer',
};

function wordsFor(error: unknown, code: string, phase: ProbePhase): readonly [FailureKind, string] {
  if (phase === 'lookup' || propertyOf(error, 'syscall') === 'getaddrinfo') {
    const name = propertyOf(error, 'hostname') ?? '';
    const what = code === 'ENOTFOUND' ? 'name not found' : 'name lookup failed';
    return ['lookup', `${what}: ${code || messageOf(error)} ${name}`];
  }
  if (code === 'UND_ERR_SOCKET') {
    return /^(other side )?closed$/.test(messageOf(error))
      ? ['reset', 'connection closed before the whole answer']
      : ['other', `no proper HTTP answer: ${messageOf(error)}`];
  }
  if (/^(HTTPParser|ResponseContentLengthMismatch)Error$/.test(propertyOf(error, 'name') ?? '')) {
    return ['other', `no proper HTTP answer: ${messageOf(error)}`];
  }
  if (/^(UND_ERR_INVALID_ARG|ERR_INVALID_URL)$/.test(code)) {
    // undici's own words on a circle are advice to programmers.
    const isCircle = messageOf(error).startsWith('Redirect loop');
    const why = `redirect that cannot be followed: ${messageOf(error)}`;
    return ['status', isCircle ? 'redirects in a circle' : why];
  }
  const found = known[code];
  if (found)
    return found[0] === 'other' || phase !== 'tls' ? found : [found[0], `${found[1]} in TLS`];
  // OpenSSL's own message names its source files; its reason does not.
  if (phase === 'tls' || /^ERR_(SSL|TLS)_/.test(code)) {
    return ['tls', propertyOf(error, 'reason') ?? messageOf(error)];
  }
  return ['other', messageOf(error)];
}

const propertyOf = (error: unknown, name: string): string | undefined => {
  const value: unknown = error instanceof Error ? Reflect.get(error, name) : undefined;
  return typeof value === 'string' && value ? value : undefined;
};
