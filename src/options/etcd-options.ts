/** The options that say how to reach etcd, and the contradictions between them. */
import { UsageError } from '../lib/errors.ts';
import { type EtcdAccess, type EtcdFiles, readCredentials } from '../registry/etcd/credentials.ts';
import { filePath, serverName } from './etcd-values.ts';
import { flagOf, option, optional, type OptionValues } from './option.ts';
import { endpoints } from './values.ts';

export const etcdOptions = {
  etcd: option({
    placeholder: 'URL[,URL]',
    help: 'etcd endpoints, tried in turn',
    default: 'http://127.0.0.1:2379',
    parse: endpoints,
  }),
  etcdCa: option({
    placeholder: 'FILE',
    help: 'the authorities, in PEM, that vouch for etcd',
    default: '',
    defaultHelp: 'those that Node trusts',
    parse: optional(filePath),
  }),
  etcdCert: option({
    placeholder: 'FILE',
    help: 'the client certificate, in PEM, to show to etcd',
    default: '',
    defaultHelp: 'none',
    parse: optional(filePath),
  }),
  etcdKey: option({
    placeholder: 'FILE',
    help: 'its key, in PEM, without a passphrase',
    default: '',
    defaultHelp: 'none',
    parse: optional(filePath),
  }),
  etcdServerName: option({
    placeholder: 'NAME',
    help: "the name that etcd's certificate must have",
    default: '',
    defaultHelp: "the URL's host",
    parse: optional(serverName),
  }),
  etcdUserFile: option({
    placeholder: 'FILE',
    help: "a file that holds the name of etcd's user",
    default: '',
    defaultHelp: 'none',
    parse: optional(filePath),
  }),
  etcdPasswordFile: option({
    placeholder: 'FILE',
    help: 'a file that holds the password of that user',
    default: '',
    defaultHelp: 'none',
    parse: optional(filePath),
  }),
};

type EtcdSettings = OptionValues<typeof etcdOptions>;

const optionOf = {
  ca: 'etcdCa',
  cert: 'etcdCert',
  key: 'etcdKey',
  user: 'etcdUserFile',
  password: 'etcdPasswordFile',
} as const satisfies Record<keyof EtcdFiles, keyof EtcdSettings>;

/**
 * Reads the files for the first time.
 * @throws UsageError for options that contradict each other, and for a file that cannot be used.
 */
export async function etcdAccess(settings: EtcdSettings): Promise<EtcdAccess> {
  refuseContradictions(settings);
  const files: EtcdFiles = {
    ca: settings.etcdCa,
    cert: settings.etcdCert,
    key: settings.etcdKey,
    user: settings.etcdUserFile,
    password: settings.etcdPasswordFile,
  };
  const read = await readCredentials(files);
  if (!read.ok) throw new UsageError(`${flagOf(optionOf[read.file])} ${read.reason}`);
  return { files, credentials: read.value, serverName: settings.etcdServerName };
}

function refuseContradictions(settings: EtcdSettings): void {
  const forTls = (['etcdCa', 'etcdCert', 'etcdKey', 'etcdServerName'] as const).find(
    (name) => settings[name] !== undefined,
  );
  const plain = settings.etcd.find((url) => url.startsWith('http:'));
  if (forTls && plain) {
    throw new UsageError(
      `${flagOf(forTls)} ${settings[forTls]} is for https:// endpoints, and --etcd names ${plain}: ` +
        `write https:// or leave out ${flagOf(forTls)}`,
    );
  }
  refuseOneWithoutOther(settings, 'etcdCert', 'etcdKey');
  refuseOneWithoutOther(settings, 'etcdUserFile', 'etcdPasswordFile');
}

function refuseOneWithoutOther(
  settings: EtcdSettings,
  one: 'etcdCert' | 'etcdUserFile',
  other: 'etcdKey' | 'etcdPasswordFile',
): void {
  const [given, missing] = settings[one] === undefined ? [other, one] : [one, other];
  if (settings[given] === undefined || settings[missing] !== undefined) return;
  throw new UsageError(
    `${flagOf(given)} ${settings[given]} needs ${flagOf(missing)} FILE beside it: give both or none`,
  );
}
