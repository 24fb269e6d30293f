/**
 * What somebody who may write to etcd could write there to get more into nginx.conf than a server:
 * by hand, and combined and bent at random, the same every time.
 */
import * as fc from 'fast-check';

/** What means something to nginx, to Liquid, to us, to JSON, or looks as if it did. */
const pieces = [
  ...[';', '{', '}', '#', '$', '"', "'", '\\', '\n', '\r', '\t', ' ', '\u0000', '\u000b', '\u007f'],
  ...[
    '};',
    '}}',
    '{{',
    '{%',
    '%}',
    '${',
    '\\"',
    '\\n',
    '\r\n',
    '\n}',
    ';}',
    '*/',
    '--',
    '..',
    '//',
  ],
  ...['\u00a0', '\u0085', '\u2028', '\u2029', '\u200b', '\u202e', '\ufeff', '\uff1b', '\uff5b'],
  ...['\uff5d', '\u037e', '\u2024', '\uff0e', '\uff1a', '\u0661', '\uff11', '\ud800', '\u{1f600}'],
  ...['127.0.0.1', '8001', ':', '.', '[', ']', '::1', '0x7f', '1e3', '%00', '<generation>', '@'],
  ...[
    ' weight=9',
    ' down',
    ' backup',
    ' resolve',
    'unix:/run/a.sock',
    'localhost',
    'include /etc/*',
  ],
  ...[
    'server 6.6.6.6:80',
    'return 200 pwned',
    'proxy_pass http://6.6.6.6',
    'lua_code',
    'load_module',
  ],
  ...['server 6.6.6.6:80;', '; server 6.6.6.6:80;', '} server { listen 81; }', '#\n', '{{ pid }}'],
  ...[
    "{% include 'confirm' %}",
    '{% raw %}',
    '{{ x | raw }}',
    '$request_uri',
    '${uri}',
    '__proto__',
  ],
];

/** Many of them: two keys with one address are one backend. */
const address = fc.oneof(
  fc.nat({ max: 0xff_ffff }).map((n) => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}:8001`),
  fc.nat({ max: 0xffff }).map((n) => `[2001:db8::${n.toString(16)}]:8001`),
);
const piece = fc.constantFrom(...pieces);
const salad = fc.array(piece, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(''));
const anything = fc.oneof(piece, salad, fc.string({ unit: 'binary', maxLength: 12 }));
const long = fc
  .tuple(piece, fc.integer({ min: 50, max: 3000 }))
  .map(([one, times]) => one.repeat(times).slice(0, 4096));

/** Hostile text before, in, after or instead of what is right. */
const bent = (right: fc.Arbitrary<string>) =>
  fc.tuple(right, anything, fc.nat({ max: 24 })).map(([good, evil, at]) => {
    return good.slice(0, at) + evil + good.slice(at);
  });

const evilAddress = fc.oneof(bent(address), anything, address);
const evilWeight = fc.oneof(
  fc.constantFrom(1, 5, 1000, 0, -1, 1001, 1.5, 1e3, 1e300, null, true, '5', '5;', [5], {}),
  anything,
);
const word = fc.constantFrom(
  'zone',
  'a.b-c_d',
  'x'.repeat(64),
  'east',
  '10.0.0.1/8',
  '',
  'a@b:c/d',
);
const evilWord = fc.oneof(word, word, bent(word), anything);
const evilMeta = fc.oneof(
  fc.dictionary(evilWord, evilWord, { maxKeys: 3 }),
  fc.dictionary(word, fc.oneof(evilWord, fc.constantFrom(1, null, ['a;'], { a: ';' })), {
    maxKeys: 3,
  }),
  anything,
);
/** One thing is wrong, or everything is. */
const weight = fc.integer({ min: 1, max: 1000 });
const meta = fc.dictionary(word, word, { maxKeys: 2 });
const bentMeta = fc.oneof(
  fc.tuple(bent(word), word).map(([key, one]) => ({ zone: 'a', [key]: one })),
  fc.tuple(word, bent(word)).map(([key, one]) => ({ zone: 'a', [key]: one })),
  fc.tuple(word, piece).map(([key, one]) => ({ zone: 'a', [key]: one })),
);
const evilJson = fc
  .oneof(
    fc.record({ address: evilAddress, weight, meta }),
    fc.record({ address, weight: evilWeight, meta }),
    fc.record({ address, meta: bentMeta }),
    fc.record({ address, meta: bentMeta, weight }),
    fc.record({ address, meta: evilMeta, weight }),
    fc.record({ address: evilAddress, weight: evilWeight, meta: evilMeta }),
  )
  .map((value) => JSON.stringify(value));
/** Names that nobody asked for, one of them twice, and JSON that is bent itself. */
const oddJson = fc.oneof(
  fc
    .tuple(address, anything, anything)
    .map(([good, name, value]) =>
      JSON.stringify({ [name]: value, address: good, [`${name}2`]: { address: value } }),
    ),
  fc
    .tuple(address, anything)
    .map(([good, evil]) => `{"address":"${good}","address":${JSON.stringify(evil)}}`),
  bent(evilJson),
);

const value = fc.oneof(
  ...[evilAddress, evilAddress, evilJson, evilJson, evilJson, oddJson, anything],
  long,
);
const name = fc.oneof(fc.constant(''), fc.constant(''), fc.constant(''), bent(word));

export interface HostileKey {
  /** The last part of the key; '': nothing is wrong with it. */
  readonly name: string;
  readonly value: string;
}

export const hostileKeys = (seed: number, count: number): readonly HostileKey[] =>
  fc.sample(fc.record({ name, value }), { seed, numRuns: count });
