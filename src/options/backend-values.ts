/** The parsers of what a watchdog writes in etcd: the address, its metadata, where the record goes. */
import { maxMetaEntries, metaFault, parseAddress } from '../registry/backend.ts';
import { BadValue, backendAddress } from './values.ts';

/** Where nginx reaches the backend; without a host it is this host's own, which is yet to be found. */
export type GivenAddress =
  | { readonly kind: 'given'; readonly address: string }
  | { readonly kind: 'own host'; readonly port: number };

/** "172.17.8.101:8001", "[2001:db8::1]:8001" or ":8001". */
export function givenAddress(text: string): GivenAddress {
  if (!/^:\d*$/.test(text)) return { kind: 'given', address: backendAddress(text) };
  const parsed = parseAddress(`127.0.0.1${text}`);
  if (!parsed.ok) throw new BadValue(`IP:PORT, or :PORT such as :8001 (${parsed.reason})`);
  return { kind: 'own host', port: parsed.value.port };
}

/** "NAME=VALUE", one a line, to an object; '' is the empty one. */
export function metadata(text: string): Readonly<Record<string, string>> {
  const lines = text === '' ? [] : text.split('\n');
  if (lines.length > maxMetaEntries) throw new BadValue(`at most ${maxMetaEntries} of them`);
  const meta = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = /^([^=]*)=(.*)$/s.exec(line) ?? [];
    if (name === undefined || value === undefined) {
      throw new BadValue('NAME=VALUE, such as zone=a');
    }
    const fault = metaFault(name, value);
    if (fault !== undefined) throw new BadValue(`NAME=VALUE, such as zone=a: ${fault}`);
    if (meta.has(name)) throw new BadValue(`each name once, and ${name} is there twice`);
    meta.set(name, value);
  }
  return Object.fromEntries(meta);
}
