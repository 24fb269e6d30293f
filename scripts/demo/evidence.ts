/**
 * What can be seen without asking rollcall: the keys in etcd by its HTTP gateway, the addresses and
 * the generation in nginx.conf, the generation that nginx answers with on a fresh connection.
 */
import { readFile } from 'node:fs/promises';
import { httpGet } from '../parts/http-get.ts';

const ASKED_WITHIN_MS = 1000;

interface Range {
  readonly kvs?: readonly { readonly key: string; readonly value: string }[];
}

/** Key to value, of every key below the prefix. */
export async function keysInEtcd(etcdUrl: string, prefix: string): Promise<Map<string, string>> {
  const range = (await askEtcd(etcdUrl, 'range', {
    key: btoa(`${prefix}/`),
    range_end: btoa(`${prefix}0`),
  })) as Range;
  return new Map(range.kvs?.map(({ key, value }) => [atob(key), atob(value)]));
}

/** By hand, as an operator would: with no lease that ends it. */
export async function putKey(etcdUrl: string, key: string, value: string): Promise<void> {
  await askEtcd(etcdUrl, 'put', { key: btoa(key), value: btoa(value) });
}

async function askEtcd(etcdUrl: string, call: string, body: object): Promise<unknown> {
  const response = await fetch(`${etcdUrl}/v3/kv/${call}`, {
    method: 'POST',
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(ASKED_WITHIN_MS),
  });
  if (!response.ok) throw new Error(`etcd answered ${response.status} to ${call}`);
  return response.json();
}

export interface ConfEvidence {
  readonly generation: string;
  readonly addresses: readonly string[];
}

export async function confOnDisk(path: string): Promise<ConfEvidence> {
  const text = await readFile(path, 'utf8');
  const generation = /"generation":"([0-9a-f]{12})"/.exec(text)?.[1] ?? 'none';
  const addresses = [...text.matchAll(/^\s*server\s+([\d.]+:\d+)\b[^{;\n]*;/gm)].map(
    ([, address]) => address ?? '',
  );
  return { generation, addresses: addresses.toSorted() };
}

/** Undefined when nginx does not answer. */
export async function generationServed(confirmUrl: string): Promise<string | undefined> {
  try {
    const { body } = await httpGet(confirmUrl, ASKED_WITHIN_MS);
    return (JSON.parse(body) as { generation: string }).generation;
  } catch {
    return undefined;
  }
}
