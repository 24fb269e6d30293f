/**
 * A real etcd as people run it: TLS, clients with certificates, users. The user of the tests may
 * read and write what is below /test/ and /rollcall/, and nothing else.
 */
import { generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Etcd3 } from 'etcd3';
import { type Etcd, startEtcd } from '../../scripts/parts/etcd.ts';
import { guardConnects } from '../../src/registry/etcd/connect-guard.ts';
import { makeTls, type TestTls } from './tls.ts';

export const login = { user: 'sidecar', password: 'correct horse' };
const root = { username: 'root', password: 'battery staple' };

export interface SecuredEtcd extends AsyncDisposable {
  readonly etcd: Etcd;
  readonly tls: TestTls;
  /** A client that may do everything. */
  readonly admin: Etcd3;
  /** Files as `--etcd-ca` and the others take them; each etcd has its own. */
  readonly files: {
    readonly ca: string;
    readonly cert: string;
    readonly key: string;
    readonly user: string;
    readonly password: string;
  };
}

/**
 * @param jwtTtl with it, tokens end after so long whatever is done with them; without it they end
 * when etcd does.
 */
export async function startSecuredEtcd({
  jwtTtl,
}: { readonly jwtTtl?: string } = {}): Promise<SecuredEtcd> {
  // Clients of the test's own would warn of what the guard mends.
  guardConnects();
  await using stack = new AsyncDisposableStack();
  const tls = stack.use(await makeTls());
  const etcd = stack.use(
    await startEtcd({
      tls: { cert: tls.server.cert, key: tls.server.key, clientCa: tls.ca.cert },
      args: jwtTtl ? ['--auth-token', await jwtOf(tls.path, jwtTtl)] : [],
    }),
  );
  const credentials = {
    rootCertificate: await readFile(tls.ca.cert),
    certChain: await readFile(tls.client.cert),
    privateKey: await readFile(tls.client.key),
  };
  await enableUsers(new Etcd3({ hosts: etcd.url, credentials }));
  const admin = stack.adopt(new Etcd3({ hosts: etcd.url, credentials, auth: root }), (open) =>
    open.close(),
  );

  const files = {
    ca: tls.ca.cert,
    ...(await tls.ca.issue('rotated')),
    user: join(tls.path, 'user'),
    password: join(tls.path, 'password'),
  };
  await writeFile(files.user, `${login.user}\n`);
  await writeFile(files.password, `${login.password}\n`);
  const owned = stack.move();
  return { etcd, tls, admin, files, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function jwtOf(path: string, ttl: string): Promise<string> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  const files = [join(path, 'jwt.pub'), join(path, 'jwt.key')] as const;
  await writeFile(files[0], publicKey);
  await writeFile(files[1], privateKey);
  return `jwt,pub-key=${files[0]},priv-key=${files[1]},sign-method=RS256,ttl=${ttl}`;
}

/** Root, and the user of the tests; from here on etcd asks for one. */
export async function enableUsers(client: Etcd3): Promise<void> {
  const { auth } = client;
  await auth.roleAdd({ name: 'root' });
  await auth.userAdd({ name: root.username, password: root.password });
  await auth.userGrantRole({ user: root.username, role: 'root' });
  await auth.roleAdd({ name: 'sidecar' });
  for (const prefix of ['/test/', '/rollcall/']) await grant(auth, prefix);
  await auth.userAdd({ name: login.user, password: login.password });
  await auth.userGrantRole({ user: login.user, role: 'sidecar' });
  await auth.authEnable();
  client.close();
}

/** Lets the user of the tests read and write below `prefix`. */
export const grant = (auth: Etcd3['auth'], prefix: string): Promise<void> =>
  grantTo(auth, 'sidecar', ['Readwrite', prefix]);

export type Permission = readonly [what: 'Read' | 'Readwrite', below: string];

async function grantTo(auth: Etcd3['auth'], name: string, [permType, below]: Permission) {
  const key = Buffer.from(below);
  const range_end = Buffer.from(below.replace(/\/$/, '0'));
  await auth.roleGrantPermission({ name, perm: { permType, key, range_end } });
}

/** A user of that name with these permissions and no others, as flags of the command line. */
export async function flagsOfUser(
  { admin, etcd, files, tls }: SecuredEtcd,
  name: string,
  permissions: readonly Permission[],
) {
  const password = `of ${name}`;
  await admin.auth.roleAdd({ name });
  for (const permission of permissions) await grantTo(admin.auth, name, permission);
  await admin.auth.userAdd({ name, password });
  await admin.auth.userGrantRole({ user: name, role: name });
  const userFile = join(tls.path, `${name}-user`);
  const passwordFile = join(tls.path, `${name}-password`);
  await writeFile(userFile, name);
  await writeFile(passwordFile, password);
  return {
    ...{ etcd: etcd.url, 'etcd-ca': files.ca, 'etcd-cert': files.cert, 'etcd-key': files.key },
    ...{ 'etcd-user-file': userFile, 'etcd-password-file': passwordFile },
  };
}
