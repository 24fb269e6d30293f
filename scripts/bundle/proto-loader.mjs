/**
 * Ships in place of @grpc/proto-loader, for the one file that etcd3 loads with it. The real one
 * reads and parses that file at each start and keeps descriptors of everything in it for servers to
 * show: 4 MB of a sidecar's memory. Here the file was parsed by the build, and a message type is
 * prepared when it is first sent or received. What goes over the wire is the same, byte by byte.
 */
import protobuf from 'protobufjs/light.js';

/**
 * @param {import('protobufjs').INamespace} parsed the file, as protobufjs writes it
 * @param {string} fileName what is asked for; anything but the file that was parsed is refused
 * @param {import('protobufjs').IConversionOptions} conversion
 * @returns {Record<string, Record<string, unknown>>} the calls of each service, for grpc-js
 */
export function loadParsed(parsed, fileName, conversion) {
  if (!fileName.endsWith('/proto/rpc.proto')) throw new Error(`${fileName} does not ship`);
  const root = protobuf.Root.fromJSON(parsed);
  return Object.fromEntries(
    root.nestedArray
      .flatMap((space) => (space instanceof protobuf.Namespace ? space.nestedArray : []))
      .filter((one) => one instanceof protobuf.Service)
      .map((service) => [service.fullName.slice(1), callsOf(service, conversion)]),
  );
}

/**
 * @param {import('protobufjs').Service} service
 * @param {import('protobufjs').IConversionOptions} conversion
 */
function callsOf(service, conversion) {
  return Object.fromEntries(
    service.methodsArray.map((method) => [method.name, callOf(method, service, conversion)]),
  );
}

function clientOnly() {
  throw new Error('only the client side ships');
}

/**
 * @param {import('protobufjs').Method} method
 * @param {import('protobufjs').Service} service
 * @param {import('protobufjs').IConversionOptions} conversion
 */
function callOf(method, service, conversion) {
  // At the first use: most of the calls are never made.
  const resolved = () => {
    method.resolve();
    return method;
  };
  return {
    path: `/${service.fullName.slice(1)}/${method.name}`,
    requestStream: method.requestStream ?? false,
    responseStream: method.responseStream ?? false,
    /** @param {Record<string, unknown>} message */
    requestSerialize: (message) => {
      const type = typeOf(resolved().resolvedRequestType);
      return type.encode(type.fromObject(message)).finish();
    },
    /** @param {Uint8Array} bytes */
    responseDeserialize: (bytes) => {
      const type = typeOf(resolved().resolvedResponseType);
      return type.toObject(type.decode(bytes), conversion);
    },
    requestDeserialize: clientOnly,
    responseSerialize: clientOnly,
    originalName: camelCase(method.name),
  };
}

/** @param {import('protobufjs').Type | null} type */
function typeOf(type) {
  if (!type) throw new Error('a call without its types');
  return type;
}

/** @param {string} name LeaseGrant to leaseGrant, HashKV to hashKv */
const camelCase = (name) =>
  name.charAt(0).toLowerCase() +
  name.slice(1).replaceAll(/[A-Z]+/g, (word) => word.charAt(0) + word.slice(1).toLowerCase());
