// What ships in place of @grpc/proto-loader says the same to etcd, byte by byte, in every call.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as protoLoader from '@grpc/proto-loader';
import protobuf from 'protobufjs';
import { expect, test } from 'vitest';
import { parsedEtcdCalls } from '../../scripts/bundle/etcd-calls.mjs';
import { loadParsed } from '../../scripts/bundle/proto-loader.mjs';

// As etcd3 calls it.
const conversion = { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true };
const etcd3 = dirname(createRequire(import.meta.url).resolve('etcd3/package.json'));
const file = join(etcd3, 'lib/../proto/rpc.proto');

interface Call {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly originalName: string;
  requestSerialize(message: object): Uint8Array;
  responseSerialize(message: object): Uint8Array;
  responseDeserialize(bytes: Uint8Array): object;
}

type Services = Readonly<Record<string, Readonly<Record<string, Call>>>>;

const parsed = parsedEtcdCalls();
const shipped = loadParsed(parsed, `${etcd3}/proto/rpc.proto`, conversion) as unknown as Services;
const real = Object.fromEntries(
  Object.entries(protoLoader.loadSync(file, conversion)).filter(([, one]) => !('format' in one)),
) as unknown as Services;
const types = protobuf.Root.fromJSON(parsed).resolveAll();

const calls = Object.entries(real).flatMap(([service, methods]) =>
  Object.entries(methods).map(([name, call]) => ({ service, name, call })),
);

/** A message with something in each field; nested to a depth, since a transaction may hold another. */
function sampleOf(type: protobuf.Type, depth = 0): object {
  const fields = type.fieldsArray
    .filter((field) => !(field.resolve().resolvedType instanceof protobuf.Type && depth > 3))
    .map((field) => {
      const one = valueOf(field, depth);
      return [field.name, field.repeated ? [one, one] : one];
    });
  return Object.fromEntries(fields);
}

function valueOf({ type, resolvedType, id }: protobuf.Field, depth: number): unknown {
  if (resolvedType instanceof protobuf.Type) return sampleOf(resolvedType, depth + 1);
  if (resolvedType) return Object.keys(resolvedType.values).at(-1);
  if (type === 'bytes') return Buffer.from([0, 255, id]);
  if (type === 'string') return `text ${id}`;
  if (type === 'bool') return true;
  return type.endsWith('64') ? `${id}00000000001` : id;
}

test('the same services and calls', () => {
  expect(calls.length).toBeGreaterThan(20);
  expect(Object.keys(shipped).toSorted()).toEqual(Object.keys(real).toSorted());
});

test.each(calls)('$service.$name', ({ service, name, call }) => {
  const ours = shipped[service]?.[name] as Call;
  const { path, requestStream, responseStream, originalName } = call;
  expect(ours).toMatchObject({ path, requestStream, responseStream, originalName });

  const method = types.lookupService(service).methods[name]?.resolve() as protobuf.Method;
  const request = sampleOf(method.resolvedRequestType as protobuf.Type);
  expect(Buffer.from(ours.requestSerialize(request))).toEqual(
    Buffer.from(call.requestSerialize(request)),
  );
  expect(Buffer.from(ours.requestSerialize({}))).toEqual(Buffer.from(call.requestSerialize({})));

  const response = call.responseSerialize(sampleOf(method.resolvedResponseType as protobuf.Type));
  expect(ours.responseDeserialize(response)).toEqual(call.responseDeserialize(response));
  const empty = new Uint8Array();
  expect(ours.responseDeserialize(empty)).toEqual(call.responseDeserialize(empty));
});

test('a file that was not parsed is refused', () => {
  expect(() => loadParsed(parsed, '/x/channelz.proto', conversion)).toThrow('does not ship');
});
