/**
 * What each of the three hosts has in /etc beside the units: its addresses, its certificates, who may
 * log in at etcd. Secrets may be read by a group that the services belong to, and by nobody else.
 */
import type { Certificate } from './certificates.ts';

/** Longer than a look at the files, and over several times in any test. */
export const tokenTtlS = 5;
const group = 'rollcall-secrets';
const tls = '/etc/rollcall/tls';

export interface Member {
  readonly hostname: string;
  /** Where clients find it, and nginx its apaches. */
  readonly address: string;
  /** Where the other members find it. */
  readonly peerAddress: string;
}

/** Of every host the same. */
export interface Secrets {
  readonly ca: string;
  readonly passwords: Readonly<Record<'watchdog' | 'balancer', string>>;
  readonly token: { readonly publicKey: string; readonly privateKey: string };
}

const env = (values: Readonly<Record<string, string>>) =>
  Object.entries(values)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');

/** Its own member comes first: the address on the way there is its own. */
const endpoints = (own: Member, members: readonly Member[]) =>
  [own, ...members.filter((one) => one !== own)]
    .map(({ address }) => `https://${address}:2379`)
    .join();

export const certificateFiles = (server: Certificate, client: Certificate) => ({
  [`${tls}/server.pem`]: server.cert,
  [`${tls}/server-key.pem`]: server.key,
  [`${tls}/client.pem`]: client.cert,
  [`${tls}/client-key.pem`]: client.key,
});

/** How a watchdog or a balancer logs in at etcd. */
export const etcdAccess = (user: string, at: string) => ({
  ROLLCALL_ETCD: at,
  ROLLCALL_ETCD_CA: `${tls}/ca.pem`,
  ROLLCALL_ETCD_CERT: `${tls}/client.pem`,
  ROLLCALL_ETCD_KEY: `${tls}/client-key.pem`,
  ROLLCALL_ETCD_USER_FILE: `/etc/rollcall/tls/${user}-user`,
  ROLLCALL_ETCD_PASSWORD_FILE: `/etc/rollcall/tls/${user}-password`,
});

export const loginFiles = (user: string, password: string) => ({
  [`${tls}/${user}-user`]: `${user}\n`,
  [`${tls}/${user}-password`]: `${password}\n`,
});

export const keyOf = (hostname: string, port: number) => `/test/${hostname}-${port}`;

export const watchdogEnv = (
  own: Member,
  members: readonly Member[],
  port: number,
  more: Readonly<Record<string, string>> = {},
) => ({
  [`/etc/rollcall/watchdog-${port}.env`]: env({
    ROLLCALL_KEY: keyOf(own.hostname, port),
    ROLLCALL_ADDRESS: `:${port}`,
    ROLLCALL_READY_WHEN: 'in-rotation',
    ROLLCALL_BALANCERS: '2',
    ...etcdAccess('watchdog', endpoints(own, members)),
    ...more,
  }),
});

export function hostFilesOf(
  own: Member,
  members: readonly Member[],
  { ca, passwords, token }: Secrets,
): Readonly<Record<string, string>> {
  const peer = ({ peerAddress }: Member) => `https://${peerAddress}:2380`;
  const client = `https://${own.address}:2379`;
  return {
    [`${tls}/ca.pem`]: ca,
    [`${tls}/token.pem`]: token.publicKey,
    [`${tls}/token-key.pem`]: token.privateKey,
    ...loginFiles('watchdog', passwords.watchdog),
    ...loginFiles('balancer', passwords.balancer),
    // Its own, where it is alone; here it shares the directory with the others.
    '/etc/systemd/system/etcd.service.d/secrets.conf': `[Service]\nSupplementaryGroups=${group}\n`,
    '/etc/rollcall/etcd.env': env({
      ETCD_NAME: own.hostname,
      ETCD_INITIAL_CLUSTER: members.map((one) => `${one.hostname}=${peer(one)}`).join(),
      ETCD_INITIAL_ADVERTISE_PEER_URLS: peer(own),
      ETCD_LISTEN_PEER_URLS: peer(own),
      ETCD_ADVERTISE_CLIENT_URLS: client,
      ETCD_LISTEN_CLIENT_URLS: client,
      ETCD_CERT_FILE: `${tls}/server.pem`,
      ETCD_KEY_FILE: `${tls}/server-key.pem`,
      ETCD_TRUSTED_CA_FILE: `${tls}/ca.pem`,
      ETCD_CLIENT_CERT_AUTH: 'true',
      ETCD_PEER_CERT_FILE: `${tls}/server.pem`,
      ETCD_PEER_KEY_FILE: `${tls}/server-key.pem`,
      ETCD_PEER_TRUSTED_CA_FILE: `${tls}/ca.pem`,
      ETCD_PEER_CLIENT_CERT_AUTH: 'true',
      ETCD_AUTH_TOKEN:
        `jwt,pub-key=${tls}/token.pem,priv-key=${tls}/token-key.pem,` +
        `sign-method=RS256,ttl=${tokenTtlS}s`,
    }),
    '/etc/rollcall/balancer.env': env({
      // What a host that is lost has not answered by then is asked elsewhere.
      ROLLCALL_SERVICE: 'web=/test read-timeout=3s',
      ...etcdAccess('balancer', endpoints(own, members)),
    }),
    '/var/www/html/index.html': `${own.hostname}\n`,
  };
}

/** As an operator would put secrets there: whole, and for the group alone. */
export const putSecrets = (files: Readonly<Record<string, string>>): readonly string[] => [
  ...['sh', '-c'],
  `while [ $# -gt 0 ]; do printf %s "$2" >"$1.new" && chgrp ${group} "$1.new" && ` +
    'chmod 640 "$1.new" && mv "$1.new" "$1" || exit; shift 2; done',
  ...['sh', ...Object.entries(files).flat()],
];

/** After the boot: the users, and who may read what lies in the directory of the secrets. */
export const settleUsers = `systemd-sysusers && chgrp -R ${group} ${tls} && chmod -R o= ${tls}`;
