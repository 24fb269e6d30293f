/**
 * The lines of an upstream: one server for each backend. A line is made once for a backend and
 * kept as long as the backend, so that a change of one among ten thousand costs one line.
 */
import type { Backend } from '../../registry/backend.ts';

const made = new WeakMap<object, string>();

/**
 * The filter `server_lines`: backends, or those of them that other filters left.
 * @throws Error for anything that is no list of backends.
 */
export function serverLines(backends: unknown): string {
  if (!Array.isArray(backends)) throw new Error('server_lines takes a list of backends');
  return backends.map(lineOf).join('\n');
}

function lineOf(backend: unknown): string {
  if (!isBackend(backend)) throw new Error('server_lines takes a list of backends');
  const before = made.get(backend);
  if (before !== undefined) return before;
  const { address, weight } = backend;
  const line = `    server ${address}${weight > 1 ? ` weight=${weight}` : ''};`;
  made.set(backend, line);
  return line;
}

/** What a template can make of its own has no weight that is a number. */
const isBackend = (one: unknown): one is Backend =>
  typeof one === 'object' &&
  one !== null &&
  'address' in one &&
  typeof one.address === 'string' &&
  'weight' in one &&
  typeof one.weight === 'number';
