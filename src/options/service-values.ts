/**
 * The parser of `--service`: NAME=/PREFIX, then settings of this service, blanks between:
 *
 *   api=/api path=/api/ host=api.example.org balance=least-conn read-timeout=10s
 *
 * What it returns holds together: no two services have one name or one prefix, and no request
 * could go to two of them.
 */
import type { Service } from './service.ts';
import { printable } from '../lib/printable.ts';
import { serviceDefaults, serviceName, servicePrefix, serviceSettings } from './service-grammar.ts';
import { BadValue } from './values.ts';

/** What was given of one service; where it says neither host nor path, that is yet to be found. */
type Given = Pick<Service, 'name' | 'prefix'> & Partial<Service>;

/** What all of them acknowledge goes to etcd in one transaction, which takes 128 writes. */
const mostServices = 64;

/** Services, one a line. */
export function services(text: string): readonly Service[] {
  const all = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map(givenService);
  if (all.length === 0) throw new BadValue('NAME=/PREFIX, such as api=/api');
  if (all.length > mostServices) throw new BadValue(`at most ${mostServices} services`);
  const found = withPlaces(all);
  refuseContradictions(found);
  return found;
}

/** `--prefix` alone. */
export const onlyService = (prefix: string): Service => ({
  ...{ name: 'backend', prefix, hosts: [], path: '/' },
  ...serviceDefaults,
});

function givenService(line: string): Given {
  const [first = '', ...settings] = line.split(/[ \t]+/);
  const [, before = '', prefix] = /^([^=]*)=(.*)$/s.exec(first) ?? [];
  if (prefix === undefined) {
    throw new BadValue(`NAME=/PREFIX first, such as api=/api, and not ${shown(first)}`);
  }
  const name = explained(`the name ${shown(before)}`, () => serviceName(before));
  let given: Given = {
    name,
    prefix: explained(`service ${name}: the prefix ${shown(prefix)}`, () => servicePrefix(prefix)),
  };
  const seen = new Set<string>();
  for (const setting of settings) {
    const [, word = '', value] = /^([^=]*)=(.*)$/s.exec(setting) ?? [];
    const parse = Object.hasOwn(serviceSettings, word) ? serviceSettings[word] : undefined;
    if (value === undefined || !parse) {
      const known = Object.keys(serviceSettings).map((one) => `${one}=`);
      throw new BadValue(`service ${name}: ${shown(setting)} is none of ${known.join(', ')}`);
    }
    if (seen.has(word)) {
      throw new BadValue(`service ${name}: ${word}= is there twice: give it once`);
    }
    seen.add(word);
    given = { ...given, ...explained(`service ${name}: ${shown(setting)}`, () => parse(value)) };
  }
  return given;
}

function explained<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof BadValue)) throw error;
    throw new BadValue(`${what} is not accepted: ${error.message}`);
  }
}

const shown = (text: string) => JSON.stringify(printable(text, 80));

/**
 * Of those that name neither host nor path, the first serves what no other names; each later
 * one has its name for a host, alone and below any domain.
 */
function withPlaces(all: readonly Given[]): readonly Service[] {
  const bare = all.filter(({ hosts, path }) => hosts === undefined && path === undefined);
  return all.map((given) => {
    const host = given.name.toLowerCase();
    const hosts = bare.indexOf(given) > 0 ? [host, `${host}.*`] : [];
    return { ...serviceDefaults, hosts, path: '/', ...given };
  });
}

/** @throws BadValue with what would do instead. */
function refuseContradictions(all: readonly Service[]): void {
  for (const [index, one] of all.entries()) {
    for (const other of all.slice(0, index)) {
      // nginx compares the names of upstreams without regard to capitals.
      if (other.name.toLowerCase() === one.name.toLowerCase()) {
        throw new BadValue(
          `each name once, and ${one.name} is there twice: call one of them ${one.name}-2`,
        );
      }
      refuseSharedKeys(other, one);
      refuseSharedPlace(other, one);
    }
  }
}

function refuseSharedKeys(a: Service, b: Service): void {
  if (a.prefix === b.prefix) {
    throw new BadValue(
      `services ${a.name} and ${b.name} both have the prefix ${a.prefix}: give each its own`,
    );
  }
  const [outer, inner] = a.prefix.length < b.prefix.length ? [a, b] : [b, a];
  if (inner.prefix.startsWith(`${outer.prefix}/`)) {
    throw new BadValue(
      `the prefix ${inner.prefix} of ${inner.name} lies below ${outer.prefix} of ${outer.name}, whose ` +
        `keys are not nested: give prefixes side by side, such as ${outer.prefix} and /${inner.name}`,
    );
  }
}

function refuseSharedPlace(a: Service, b: Service): void {
  if (a.path !== b.path) return;
  const anyHost = a.hosts.length === 0 && b.hosts.length === 0;
  const host = a.hosts.find((one) => b.hosts.includes(one));
  if (!anyHost && host === undefined) return;
  throw new BadValue(
    `services ${a.name} and ${b.name} would both serve ${host ?? 'every host'} at ${a.path}: ` +
      `give ${b.name} a host= or a path= of its own, such as path=/${b.name}/`,
  );
}
