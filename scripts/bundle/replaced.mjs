/**
 * What of the libraries does not ship as it is, and why. Each sidecar pays for what it loads, even
 * for a text that it never runs: V8 keeps the source. Nothing is left out that the code could reach:
 * what was replaced by `leftOut` throws with its name, and a name that is imported but not offered
 * here ends the build.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parsedEtcdCalls } from './etcd-calls.mjs';

const require = createRequire(import.meta.url);
const beside = fileURLToPath(new URL('.', import.meta.url));

/**
 * Packages, by name: the text of a module that offers what we import of them.
 * @returns {Record<string, string>}
 */
const entries = () => ({
  // Its index loads all of fetch, caches, mocks and proxies: 900 kB for one client.
  undici: `
    import Dispatcher from 'undici/lib/dispatcher/dispatcher.js';
    import request from 'undici/lib/api/api-request.js';
    import redirect from 'undici/lib/interceptor/redirect.js';
    export { default as Client } from 'undici/lib/dispatcher/client.js';
    export { default as Agent } from 'undici/lib/dispatcher/agent.js';
    export { default as buildConnector } from 'undici/lib/core/connect.js';
    export { default as errors } from 'undici/lib/core/errors.js';
    Dispatcher.prototype.request = request;
    export const interceptors = { redirect };`,
  // Its index loads the summaries, the default metrics and a tracing API.
  'prom-client': ['counter', 'gauge', 'histogram', 'registry']
    .map((name) => `export { default as ${capital(name)} } from 'prom-client/lib/${name}.js';`)
    .join('\n'),
  '@grpc/proto-loader': `
    import { loadParsed } from ${JSON.stringify(join(beside, 'proto-loader.mjs'))};
    const parsed = ${JSON.stringify(JSON.stringify(parsedEtcdCalls()))};
    export const loadSync = (name, options) => loadParsed(JSON.parse(parsed), name, options);`,
});

/** Files, by the end of their path: never reached by what we call. */
const leftOut = [
  // Log lines are written at once, by this thread.
  'pino/lib/transport.js',
  'thread-stream/index.js',
  // The side of gRPC that answers.
  '@grpc/grpc-js/build/src/server.js',
  '@grpc/grpc-js/build/src/server-interceptors.js',
  '@grpc/grpc-js/build/src/orca.js',
  // The parser that undici does not use unless told to by a variable, which is set below.
  'undici/lib/milo/simd.js',
  'undici/lib/milo/no-simd.js',
];

export const defined = { 'process.env.UNDICI_USE_MILO': '"0"' };

/** Loaded by some processes only, and at once where they are: each a file of its own. */
export const apart = { 'pino-pretty': 'pino-pretty', re2js: 're2js' };

const atUse = /createRequire\(import\.meta\.url\)\('([\w@/-]+)'\)/g;

/** undici's parser is WebAssembly in base64: a file of bytes beside the bundle instead. */
const wasm = /\/undici\/lib\/llhttp\/(llhttp\w*)-wasm\.js$/;

/** @type {{ version: string }} */
const { version } = JSON.parse(readFileSync(join(beside, '../../package.json'), 'utf8'));

/** @returns {import('rolldown').Plugin} */
export function replaced() {
  const virtual = '\0replaced:';
  const texts = entries();
  return {
    name: 'replaced',
    resolveId(id) {
      return Object.hasOwn(texts, id) ? { id: virtual + id } : undefined;
    },
    load(id) {
      if (id.startsWith(virtual)) return texts[id.slice(virtual.length)];
      if (id.endsWith('/src/lib/version.ts')) {
        return `export const version = ${JSON.stringify(version)};`;
      }
      const path = leftOut.find((end) => id.endsWith(`/node_modules/${end}`));
      if (path) {
        const message = JSON.stringify(`${path} does not ship with rollcall`);
        return `module.exports = () => { throw new Error(${message}); };`;
      }
      const [, name] = wasm.exec(id) ?? [];
      if (!name) return undefined;
      const source = new Uint8Array(require(id));
      this.emitFile({ type: 'asset', fileName: `${name}.wasm`, source });
      return `module.exports = require('node:fs').readFileSync(\`\${__dirname}/${name}.wasm\`);`;
    },
    transform(code, id) {
      if (id.includes('/node_modules/')) return undefined;
      return code.replaceAll(atUse, (_text, /** @type {string} */ name) => {
        if (!Object.hasOwn(apart, name)) throw new Error(`${id}: ${name} is not kept apart`);
        return `createRequire(import.meta.url)('./${name}.js')`;
      });
    },
  };
}

/** @param {string} word */
const capital = (word) => word.charAt(0).toUpperCase() + word.slice(1);
