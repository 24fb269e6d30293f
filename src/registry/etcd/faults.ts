/**
 * What a failed call to etcd says, sorted by what can be done about it, in words that stay the
 * same while the trouble does: no time stamps, no status numbers. Pure.
 */
import { castGrpcError, GRPCDeadlineExceededError, isRecoverableError } from 'etcd3';
import { CodedError, DeadlineError, messageOf } from '../../lib/errors.ts';

export type FaultCode =
  /** The connection failed, or the member did: another try elsewhere may do better. */
  | 'ETCD_CONNECTION'
  /** No answer in time: as with the connection. */
  | 'DEADLINE'
  /** The token ended: a new one will do. */
  | 'ETCD_TOKEN'
  /** User or password are not etcd's. */
  | 'ETCD_LOGIN'
  | 'ETCD_PERMISSION'
  /** Anything else that etcd said no to, or that cannot be asked at all. */
  | 'ETCD_REFUSED';

export class EtcdFault extends CodedError {
  declare readonly code: FaultCode;
}

/** A stream ended that should not have. */
export class StreamEnded extends Error {}

/** etcd3 answers the true text by calling again at once, for as long as the deadline allows. */
export const tokenRefused = 'etcd refused the token';

const tokenWords = [
  new RegExp(tokenRefused),
  /invalid auth token/,
  // After a role or a user was changed, a token of before. Members differ in the words.
  /revision (in header|of auth store) is old/,
  // Without a token: authentication was enabled after we began.
  /user name is empty/,
];

/** Which of two deadlines came first is chance; the words are the same. */
const isLate = (error: unknown) =>
  error instanceof GRPCDeadlineExceededError || error instanceof DeadlineError;

function codeOf(error: unknown): FaultCode {
  const text = messageOf(error);
  if (tokenWords.some((words) => words.test(text))) return 'ETCD_TOKEN';
  if (/invalid user ID or password/.test(text)) return 'ETCD_LOGIN';
  if (/permission denied/.test(text)) return 'ETCD_PERMISSION';
  // An answer that is too large is no fault of the member.
  if (/larger than max/.test(text)) return 'ETCD_REFUSED';
  if (isLate(error)) return 'DEADLINE';
  if (error instanceof StreamEnded) return 'ETCD_CONNECTION';
  return error instanceof Error && isRecoverableError(error) ? 'ETCD_CONNECTION' : 'ETCD_REFUSED';
}

/** grpc-js tells only one of several who wait for a connection why there is none. */
export const noReason = 'no connection';

/** From what the libraries say to what an operator can read, applied one after the other. */
const plainer: readonly (readonly [RegExp, string])[] = [
  [/^\d+ [A-Z_]+: /, ''],
  [/^(rpc error: code = \w+ desc = )?etcdserver: /, ''],
  [/^No connection established\. Last error: (.*?)\.? Resolution note:.*$/, '$1'],
  [/^null$/, noReason],
  [/^(Error( \[\w+\])?: )+/, ''],
  [/ \(\d{4}-\d\d-\d\dT[\d:.]+Z\)/, ''],
  // "407D83B7877F0000:error:0A000412:SSL routines:ssl3_read_bytes:ssl/tls alert bad certificate:../deps"
  [/^[0-9A-F]+:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):.*$/, '$1'],
  // "error:0A00018F:SSL routines::ee key too small"
  [/^error:[0-9A-F]+:[^:]*:[^:]*:/, ''],
  [
    /^(.*alert (bad certificate|certificate required|certificate expired|unknown ca).*)$/,
    'etcd did not accept the client certificate, or asks for one ($1)',
  ],
  [/; if the root CA is installed locally.*$/, ''],
  [/^(unable to|self-signed|certificate has|certificate is)/, "etcd's certificate: $1"],
  [/^Failed to connect$/, 'it closed the connection at once: does it want https://?'],
  [/^Client network socket disconnected before.*$/, '$&: does it want http://?'],
];

/** Is it about a certificate, etcd's or ours? */
export const isAboutCertificates = (error: unknown): boolean =>
  /certificate|\balert\b/.test(reasonOf(error));

/** The reason without numbers and times, on one line. */
export function reasonOf(error: unknown): string {
  return plainer.reduce((text, [words, say]) => text.replace(words, say), messageOf(error));
}

/**
 * @param named what failed and where: "etcd list at http://10.0.0.1:2379".
 * @param hints what to add for a kind of fault.
 */
export function faultOf(
  named: string,
  thrown: unknown,
  tryMs: number,
  hints: Partial<Record<FaultCode, string>> = {},
): EtcdFault {
  if (thrown instanceof EtcdFault) return thrown;
  // Of a stream etcd3 hands out what grpc-js said, as it is.
  const error = thrown instanceof Error ? castGrpcError(thrown) : thrown;
  const found = codeOf(error);
  const text = isLate(error)
    ? new DeadlineError(named, tryMs).message
    : `${named}: ${reasonOf(error)}`;
  return new EtcdFault(found, `${text}${hints[found] ?? ''}`, { cause: error });
}

export const isFault = (error: unknown, ...codes: readonly FaultCode[]): boolean =>
  error instanceof EtcdFault && codes.includes(error.code);

/** Another endpoint, or a fresh connection, may do better. */
export const isConnectionFault = (error: unknown): boolean =>
  isFault(error, 'ETCD_CONNECTION', 'DEADLINE');
