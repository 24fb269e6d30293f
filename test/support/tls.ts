/**
 * Throw-away certificates, made by openssl in a directory that goes at the end of its scope: an
 * authority with a server, a client and an expired server, and another authority with a server of
 * its own. All servers are 127.0.0.1, ::1 and localhost.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryDirectory } from './temporary-directory.ts';

/** Files in PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends Certificate {
  /** A certificate for servers and clients alike; `days` below 0: it has expired. */
  issue(name: string, days?: number): Promise<Certificate>;
}

export interface TestTls extends AsyncDisposable {
  /** The directory that all files are in. */
  readonly path: string;
  readonly ca: Authority;
  readonly server: Certificate;
  readonly client: Certificate;
  readonly expired: Certificate;
  readonly otherCa: Authority;
  /** A server that only the other authority vouches for. */
  readonly foreign: Certificate;
}

const openssl = (...args: readonly string[]) => promisify(execFile)('openssl', args);

export async function makeTls(): Promise<TestTls> {
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(await temporaryDirectory());
  const [ca, otherCa] = await Promise.all([
    makeAuthority(path, 'ca'),
    makeAuthority(path, 'other-ca'),
  ]);
  const [server, client, expired, foreign] = await Promise.all([
    ca.issue('server'),
    ca.issue('client'),
    ca.issue('expired', -1),
    otherCa.issue('foreign'),
  ]);
  const owned = stack.move();
  return {
    ...{ path, ca, otherCa, server, client, expired, foreign },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const filesOf = (path: string, name: string) => ({
  cert: join(path, `${name}.pem`),
  key: join(path, `${name}-key.pem`),
});

const newKey = (file: string) => [
  ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file],
];

async function makeAuthority(path: string, name: string): Promise<Authority> {
  const files = filesOf(path, name);
  await openssl(
    ...['req', '-x509', '-subj', `/CN=rollcall ${name}`, '-days', '2', '-out', files.cert],
    ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign', ...newKey(files.key)],
  );
  return { ...files, issue: (issued, days = 2) => issue(path, files, issued, days) };
}

/** The common name of the subject is `name`: that is the user where etcd asks for certificates. */
async function issue(
  path: string,
  by: Certificate,
  name: string,
  days: number,
): Promise<Certificate> {
  const files = filesOf(path, name);
  const request = join(path, `${name}.csr`);
  const extensions = join(path, `${name}.ext`);
  await writeFile(
    extensions,
    'subjectAltName=IP:127.0.0.1,IP:::1,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n',
  );
  await openssl('req', '-new', '-subj', `/CN=${name}`, '-out', request, ...newKey(files.key));
  await openssl(
    ...['x509', '-req', '-in', request, '-CA', by.cert, '-CAkey', by.key],
    // The file that openssl would count in is no place for several at a time.
    ...['-set_serial', `0x${randomBytes(8).toString('hex')}`],
    ...['-days', String(days), '-extfile', extensions, '-out', files.cert],
  );
  return files;
}
