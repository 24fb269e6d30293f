/**
 * An authority of openssl's, in a directory that goes at the end of its scope, whose certificates are
 * for the addresses of one machine and end at a given second.
 */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeScratch } from '../parts/scratch.ts';

const ISSUED_WITHIN_MS = 10_000;

/** In PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends AsyncDisposable {
  readonly cert: string;
  /** For servers and clients alike. One after the other: openssl keeps a list of what it issued. */
  issue(wanted: Wanted): Promise<Certificate>;
}

interface Wanted {
  readonly name: string;
  readonly addresses?: readonly string[];
  readonly validForMs?: number;
}

const DAY_MS = 86_400_000;

const openssl = (...args: readonly string[]) =>
  promisify(execFile)('openssl', args, { timeout: ISSUED_WITHIN_MS });

const newKey = (file: string) => [
  ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file],
];

const settings = (path: string) => `
[ca]
default_ca = all
[all]
database = ${path}/issued
new_certs_dir = ${path}
certificate = ${path}/ca.pem
private_key = ${path}/ca-key.pem
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
[any]
commonName = supplied
`;

export async function makeAuthority(): Promise<Authority> {
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(await makeScratch('authority'));
  const at = (name: string) => join(path, name);
  await writeFile(at('ca.cnf'), settings(path));
  await writeFile(at('issued'), '');
  await openssl(
    ...['req', '-x509', '-subj', '/CN=rollcall machines', '-days', '2', '-out', at('ca.pem')],
    ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign', ...newKey(at('ca-key.pem'))],
  );
  const issue = async ({ name, addresses = [], validForMs = DAY_MS }: Wanted) => {
    const endsAt = new Date(Date.now() + validForMs);
    const names = addresses.map((address) => `IP:${address}`).join();
    const usage = 'extendedKeyUsage=serverAuth,clientAuth';
    await writeFile(at('extensions'), `${usage}\n${names && `subjectAltName=${names}\n`}`);
    const [request, cert, key] = [at('request'), at('cert.pem'), at('key.pem')];
    await openssl('req', '-new', '-subj', `/CN=${name}`, '-out', request, ...newKey(key));
    await openssl(
      ...['ca', '-batch', '-notext', '-config', at('ca.cnf'), '-extfile', at('extensions')],
      ...['-in', request, '-out', cert, '-enddate', seconds(endsAt)],
    );
    return { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') };
  };
  let last: Promise<unknown> = Promise.resolve();
  const owned = stack.move();
  const ca = await readFile(at('ca.pem'), 'utf8');
  return {
    cert: ca,
    issue: (wanted) => {
      const issued = last.then(() => issue(wanted));
      last = issued.catch(() => {});
      return issued;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** YYYYMMDDHHMMSSZ */
const seconds = (at: Date) => at.toISOString().replaceAll(/[-:T]|\.\d+/g, '');
