/**
 * Certificates, user and password for etcd, from files. What comes out of here can be used:
 * PEM that parses and that OpenSSL will use, a key that belongs to its certificate, a name and a
 * password that are not empty. What cannot is a reason that names the file, and never its content.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { open } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { messageOf } from '../../lib/errors.ts';
import { reasonOf } from './faults.ts';

/** Paths; each may be missing, but cert and key, user and password come together. */
export interface EtcdFiles {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
}

export interface Login {
  readonly user: string;
  readonly password: string;
}

export interface EtcdCredentials {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly login?: Login;
  /** Certificates of ours with the ends of their validity, to name one that has expired. */
  readonly validity: readonly { readonly file: string; readonly until: Date }[];
}

/** How etcd lets us in. */
export interface EtcdAccess {
  readonly files: EtcdFiles;
  /** What the files held at the start. */
  readonly credentials: EtcdCredentials;
  /** The name that the endpoints' certificates must have, where it is not that of their URLs. */
  readonly serverName?: string | undefined;
}

export const noCredentials: EtcdAccess = { files: {}, credentials: { validity: [] } };

export type ReadCredentials =
  | { readonly ok: true; readonly value: EtcdCredentials }
  | { readonly ok: false; readonly file: keyof EtcdFiles; readonly reason: string };

const maxFileBytes = 1024 * 1024;

class Unusable extends Error {
  readonly file: keyof EtcdFiles;

  constructor(file: keyof EtcdFiles, path: string, reason: string) {
    super(`${path}: ${reason}`);
    this.file = file;
  }
}

/** Of `reason` the path is part. */
export async function readCredentials(files: EtcdFiles): Promise<ReadCredentials> {
  try {
    return { ok: true, value: await read(files) };
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    return { ok: false, file: error.file, reason: error.message };
  }
}

async function read(files: EtcdFiles): Promise<EtcdCredentials> {
  // One after the other: of several that cannot be used, it is always the same one that is named.
  const ca = await readIfNamed(files, 'ca');
  const cert = await readIfNamed(files, 'cert');
  const key = await readIfNamed(files, 'key');
  const user = await readIfNamed(files, 'user');
  const password = await readIfNamed(files, 'password');
  const authorities = ca ? certificates('ca', files.ca ?? '', ca) : [];
  const [own] = cert ? certificates('cert', files.cert ?? '', cert) : [];
  if (key) {
    const path = files.key ?? '';
    const parsed = parsedBy('key', path, 'a PEM private key', () => createPrivateKey(key));
    if (own && !own.checkPrivateKey(parsed)) {
      throw new Unusable('key', path, `it is not the key of the certificate in ${files.cert}`);
    }
  }
  const forTls = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  refuseUnusable(files, forTls);
  return {
    ...forTls,
    ...(user &&
      password && {
        login: {
          user: oneWord('user', files.user ?? '', user),
          password: oneWord('password', files.password ?? '', password),
        },
      }),
    validity: [
      ...authorities.map(({ validToDate: until }) => ({ file: files.ca ?? '', until })),
      ...(own ? [{ file: files.cert ?? '', until: own.validToDate }] : []),
    ],
  };
}

async function readIfNamed(files: EtcdFiles, file: keyof EtcdFiles): Promise<Buffer | undefined> {
  const path = files[file];
  if (path === undefined) return undefined;
  try {
    // Non-blocking: a pipe in its place would hold the open for ever.
    await using handle = await open(path, 0x800 /* O_RDONLY | O_NONBLOCK */);
    const about = await handle.stat();
    if (!about.isFile()) throw new Unusable(file, path, 'it is not a file');
    if (about.size >= maxFileBytes) throw new Unusable(file, path, 'it is larger than 1 MiB');
    // One more than there should be: what is being written is not taken for the whole.
    const content = Buffer.alloc(about.size + 1);
    const { bytesRead } = await handle.read(content, 0, content.length, 0);
    if (bytesRead !== about.size) {
      throw new Unusable(file, path, 'it is not as long as its size says: is it being written?');
    }
    if (bytesRead === 0) throw new Unusable(file, path, 'it is empty');
    return content.subarray(0, bytesRead);
  } catch (error) {
    if (error instanceof Unusable) throw error;
    throw new Unusable(file, path, `it cannot be read: ${withoutPath(messageOf(error))}`);
  }
}

/** "ENOENT: no such file or directory, open '/x'": the path stands before it already. */
const withoutPath = (message: string) => message.replace(/, \w+ '.*'$/, '');

function certificates(
  file: keyof EtcdFiles,
  path: string,
  pem: Buffer,
): readonly X509Certificate[] {
  const blocks = pem
    .toString('latin1')
    .match(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs);
  return parsedBy(file, path, 'a PEM certificate', () => {
    if (!blocks) throw new Error('there is none');
    return blocks.map((block) => new X509Certificate(block));
  });
}

function parsedBy<T>(file: keyof EtcdFiles, path: string, what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new Unusable(file, path, `it does not hold ${what}: ${messageOf(error)}`);
  }
}

type ForTls = Pick<EtcdCredentials, 'ca' | 'cert' | 'key'>;

/** What parses may still be too weak, a key of 1024 bits say, and connecting is too late to learn. */
function refuseUnusable(files: EtcdFiles, { ca, cert, key }: ForTls): void {
  if (!ca && !cert) return;
  const steps: readonly (readonly [keyof EtcdFiles, ForTls])[] = [
    ...(ca ? [['ca', { ca }] as const] : []),
    ...(cert ? [['cert', { ...(ca && { ca }), cert }] as const] : []),
    ...(cert && key ? [['key', { ...(ca && { ca }), cert, key }] as const] : []),
  ];
  for (const [file, given] of steps) {
    try {
      createSecureContext(given);
    } catch (error) {
      throw new Unusable(file, files[file] ?? '', `it cannot be used: ${reasonOf(error)}`);
    }
  }
}

/** One line break at the end is forgiven: `echo` leaves one. */
function oneWord(file: keyof EtcdFiles, path: string, content: Buffer): string {
  const text = content.toString().replace(/\r?\n$/, '');
  if (text === '') throw new Unusable(file, path, 'it is empty');
  if (/[\r\n\0]/.test(text)) throw new Unusable(file, path, 'it holds more than one line');
  return text;
}

/** "; the certificate in FILE expired on DATE", or nothing: a failed handshake does not say which. */
export function expiredNote({ validity }: EtcdCredentials, now: Date): string {
  return validity
    .filter(({ until }) => until < now)
    .map(({ file, until }) => `; the certificate in ${file} expired on ${until.toISOString()}`)
    .join('');
}
