/** A certificate that parses, with its key, and that OpenSSL refuses to use: RSA of 1024 bits. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Certificate } from './tls.ts';

export async function makeWeakCertificate(directory: string): Promise<Certificate> {
  const made = { cert: join(directory, 'weak.pem'), key: join(directory, 'weak-key.pem') };
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:1024', '-nodes', '-subj', '/CN=weak', '-days', '2'],
    ...['-keyout', made.key, '-out', made.cert],
  ]);
  return made;
}
