/**
 * Has V8 prefer little memory to speed, for a process that mostly waits and of which a host may run
 * many. It sets no limit: a heap that must grow still does. To be called before the code that it is
 * for is loaded.
 */
import { setFlagsFromString } from 'node:v8';

const flags = [
  // Collects and releases earlier.
  '--optimize-for-size',
  // undici's HTTP parser is WebAssembly: to optimize it costs 9 MB that are not given back, and at a
  // few requests a second nobody would notice. Both, because V8 does not derive one from the other
  // any more once it runs.
  '--no-wasm-tier-up',
  '--no-wasm-dynamic-tiering',
];

export function preferMemory(): void {
  for (const flag of flags) setFlagsFromString(flag);
}
