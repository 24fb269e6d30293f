/**
 * etcd's calls as etcd3 describes them, parsed here once instead of at each start: what
 * proto-loader.mjs is given in the bundle.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import protobuf from 'protobufjs';

const files = ['rpc.proto', 'kv.proto', 'auth.proto'];

/** @returns {import('protobufjs').INamespace} */
export function parsedEtcdCalls() {
  const require = createRequire(import.meta.url);
  const directory = join(dirname(require.resolve('etcd3/package.json')), 'proto');
  const root = new protobuf.Root();
  // The imports of gogo and of google's annotations are options for other languages.
  for (const file of files) {
    protobuf.parse(readFileSync(join(directory, file), 'utf8'), root, { keepCase: true });
  }
  root.resolveAll();
  return withoutOptions(root.toJSON());
}

/**
 * They are for gateways that speak HTTP and for other languages.
 * @template T
 * @param {T} value
 * @returns {T}
 */
function withoutOptions(value) {
  return JSON.parse(
    JSON.stringify(value, (name, /** @type {unknown} */ part) =>
      name === 'options' || name === 'parsedOptions' || name === 'comment' ? undefined : part,
    ),
  );
}
