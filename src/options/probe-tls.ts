/** What the options of the probe say on TLS: the contradictions between them, and what OpenSSL will use. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { messageOf, UsageError } from '../lib/errors.ts';
import type { TlsTarget } from '../watchdog/probe/target.ts';
import type { PemFile } from './probe-values.ts';

export interface TlsValues {
  readonly probeCa: PemFile | undefined;
  readonly probeCert: PemFile | undefined;
  readonly probeKey: PemFile | undefined;
  readonly probeServerName: string | undefined;
  readonly probeInsecure: boolean;
}

/** @throws UsageError that names the options and says what would do. */
export function tlsOf(values: TlsValues): TlsTarget {
  const { probeCa: ca, probeCert: cert, probeKey: key, probeInsecure: insecure } = values;
  if (!cert !== !key) {
    const [given, missing] = cert
      ? ['--probe-cert', '--probe-key']
      : ['--probe-key', '--probe-cert'];
    throw new UsageError(`${given} is of no use without ${missing}: give both or none`);
  }
  if (cert && key && !new X509Certificate(cert.pem).checkPrivateKey(createPrivateKey(key.pem))) {
    throw new UsageError(`--probe-key ${key.path} is not the key of --probe-cert ${cert.path}`);
  }
  if (insecure && (ca || values.probeServerName !== undefined)) {
    const other = ca ? '--probe-ca' : '--probe-server-name';
    throw new UsageError(`--probe-insecure and ${other} contradict each other: give one`);
  }
  const client = cert && key && { cert: cert.pem, key: key.pem };
  const given = cert ? `--probe-cert ${cert.path}` : `--probe-ca ${ca?.path}`;
  tryOut(given, { ...(ca && { ca: ca.pem }), ...client });
  return { ca: ca?.pem, client, serverName: values.probeServerName, insecure };
}

/** OpenSSL reads more than it uses: a key may be too small for it, a signature too weak. */
function tryOut(given: string, options: SecureContextOptions): void {
  try {
    createSecureContext(options);
  } catch (error) {
    // Its message names its source files; its reason does not.
    const reason: unknown = error instanceof Error ? Reflect.get(error, 'reason') : undefined;
    const words = typeof reason === 'string' ? reason : messageOf(error);
    throw new UsageError(`${given} cannot be used: ${words}: give another`);
  }
}
