/**
 * What one setting of `--service` accepts. Whatever passes can stand in nginx.conf as it is,
 * and can be nothing else there.
 */
import { balanceMethods, type Service } from './service.ts';
import { BadValue, choice, count, duration, keyPrefix } from './values.ts';

export function serviceName(text: string): string {
  if (!/^[A-Za-z][A-Za-z0-9_-]{0,62}$/.test(text)) {
    throw new BadValue('1 to 63 letters, digits, "_" and "-", a letter first, such as api');
  }
  return text;
}

export function servicePrefix(text: string): string {
  // etcd's keys below it have at most 256 characters; nothing longer could hold one.
  if (text.length > 250) throw new BadValue('a path of at most 250 characters');
  return keyPrefix(text);
}

/** "api.example.org,*.api.example.org", as nginx compares them: in small letters. */
function serviceHosts(text: string): readonly string[] {
  const hosts = text.split(',').map(hostName);
  const twice = hosts.find((host, index) => hosts.indexOf(host) < index);
  if (twice !== undefined) throw new BadValue(`each host once, and ${twice} is there twice`);
  return hosts;
}

function hostName(text: string): string {
  const name = text.replace(/^\*\.|\.\*$/, '');
  const labels = name.split('.');
  if (name.length > 253 || !labels.every((label) => /^\w([\w-]{0,61}\w)?$/.test(label))) {
    throw new BadValue(
      'host names with commas between, such as api.example.org,*.api.example.org,api.*',
    );
  }
  return text.toLowerCase();
}

/** nginx keeps the length of a location in one byte. */
const maxPathChars = 200;

/** "/api" to "/api/": the requests below it. */
function servicePath(text: string): string {
  const path = text.endsWith('/') ? text : `${text}/`;
  const parts = path.slice(1, -1).split('/');
  // nginx resolves "." and ".." and joins slashes before it looks for a location.
  const isPath =
    path === '/' || parts.every((part) => /^[\w.~-]+$/.test(part) && !/^\.\.?$/.test(part));
  if (!text.startsWith('/') || !isPath || path.length > maxPathChars) {
    throw new BadValue(
      `a path of letters, digits and "._~-" without "//" and "..", such as /api/, of at most ${maxPathChars} characters`,
    );
  }
  return path;
}

const timeout = duration({ minMs: 1, maxMs: 3_600_000 });

/** What a service has where its setting is not given; hosts and path depend on the others. */
export const serviceDefaults = {
  ...{ balance: 'round-robin', keepalive: 32 },
  ...{ connectTimeoutMs: 2000, sendTimeoutMs: 60_000, readTimeoutMs: 60_000 },
} as const satisfies Partial<Service>;

/** By name, what a setting says of the service. */
export const serviceSettings: Readonly<Record<string, (text: string) => Partial<Service>>> = {
  host: (text) => ({ hosts: serviceHosts(text) }),
  path: (text) => ({ path: servicePath(text) }),
  balance: (text) => ({ balance: choice(...balanceMethods)(text) }),
  keepalive: (text) => ({ keepalive: count(0, 10_000)(text) }),
  'connect-timeout': (text) => ({ connectTimeoutMs: timeout(text) }),
  'send-timeout': (text) => ({ sendTimeoutMs: timeout(text) }),
  'read-timeout': (text) => ({ readTimeoutMs: timeout(text) }),
};
