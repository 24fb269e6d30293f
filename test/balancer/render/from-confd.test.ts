// What README.md puts beside each construct of confd's templates does what it says.
import { expect, test } from 'vitest';
import type { Backend } from '../../../src/registry/backend.ts';
import { backend } from '../../support/builders.ts';
import { printed, renderer } from './rendering.ts';

const a: Backend = { ...backend('a', 8001), weight: 5, meta: { zone: 'east-1', port: '9' } };
const b = backend('b', '10.0.0.2:8002');

test.each([
  ['getvs', '{% for b in backends %}{{ b.address }} {% endfor %}', '127.0.0.1:8001 10.0.0.2:8002 '],
  [
    'gets',
    '{% for b in backends %}{{ b.key }}={{ b.address }} {% endfor %}',
    '/test/a=127.0.0.1:8001 /test/b=10.0.0.2:8002 ',
  ],
  [
    'getv, get and with',
    "{% assign b = backends | find: 'name', 'a' %}{% if b %}{{ b.address }}{% endif %}",
    '127.0.0.1:8001',
  ],
  [
    'getv with a default',
    "{% for b in backends %}{{ b.meta.zone | default: 'none' }} {% endfor %}",
    'east-1 none ',
  ],
  ['ls', '{% for b in backends %}{{ b.name }} {% endfor %}', 'a b '],
  ['lsdir', '{% for s in services %}{{ s.prefix }}{% endfor %}', '/test'],
  ['exists, of a prefix', '{% if backends.size > 0 %}yes{% endif %}', 'yes'],
  [
    'exists, of a key',
    "{% assign there = backends | has: 'name', 'c' %}{% if there %}yes{% else %}no{% endif %}",
    'no',
  ],
  ['base', "{% for b in backends %}{{ b.key | split: '/' | last }}{% endfor %}", 'ab'],
  [
    'dir',
    "{% for b in backends %}{{ b.key | split: '/' | pop | join: '/' }} {% endfor %}",
    '/test /test ',
  ],
  ['split', "{% assign parts = 'a:b' | split: ':' %}{{ parts[1] }}", 'b'],
  ['join', "{{ backends | map: 'name' | join: ',' }}", 'a,b'],
  [
    'json',
    '{% for b in backends %}{{ b.host }} {{ b.weight }} {% endfor %}',
    '127.0.0.1 5 10.0.0.2 1 ',
  ],
  [
    'json, all of it',
    '{% for b in backends %}{% for m in b.meta %}{{ m[0] }}={{ m[1] }} {% endfor %}{% endfor %}',
    'zone=east-1 port=9 ',
  ],
  ['toUpper', "{{ 'a' | upcase }}{{ 'B' | downcase }}", 'Ab'],
  [
    'replace',
    "{{ 'a-b-c' | replace: '-', '_' }} {{ 'a-b-c' | replace_first: '-', '_' }}",
    'a_b_c a_b-c',
  ],
  ['trimSuffix', "{{ 'a.org' | remove_last: '.org' }}", 'a'],
  ['contains', "{% if 'east-1' contains 'east' %}yes{% endif %}", 'yes'],
  ['datetime', "{{ 0 | date: '%Y', 'GMT' }}", '1970'],
  [
    'range with an index',
    '{% for b in backends %}{{ forloop.index0 }}{{ b.name }}{% endfor %}',
    '0a1b',
  ],
  [
    'range of nothing',
    "{% assign none = backends | where: 'name', 'c' %}{% for b in none %}{% else %}none{% endfor %}",
    'none',
  ],
  [
    'if, eq, and, or, not',
    "{% if listen == 'a' or zone_kb > 1 and not false %}yes{% endif %}",
    'yes',
  ],
  [
    'printf',
    '{% for b in backends %}{{ b.host }}:{{ b.port | plus: 1 }} {% endfor %}',
    '127.0.0.1:8002 10.0.0.2:8003 ',
  ],
  ['sort', "{{ backends | sort: 'weight' | map: 'name' | join }}", undefined],
  ['sort', "{{ backends | sort: 'weight' | map: 'name' | join: ',' }}", 'b,a'],
  ['reverse', '{% for b in backends reversed %}{{ b.name }}{% endfor %}', 'ba'],
  ['atoi', "{{ '9' | to_integer | plus: 1 }}", '10'],
  [
    'add, sub, mul, div, mod',
    '{{ 7 | plus: 1 }} {{ 7 | minus: 1 }} {{ 7 | times: 2 }} {{ 7 | divided_by: 2 | floor }} {{ 7 | modulo: 2 }}',
    '8 6 14 3 1',
  ],
  ['seq', '{% for i in (1..3) %}{{ i }}{% endfor %}', '123'],
  ['base64Encode', "{{ 'a' | base64_encode }} {{ 'YQ==' | base64_decode }}", 'YQ== a'],
  ['parseBool', "{% assign on = 'true' %}{% if on == 'true' %}yes{% endif %}", 'yes'],
  ['comments', '{% comment %}one{% endcomment %}{% # another %}', ''],
  ['white space', "a  {{- 'b' -}}  c", 'abc'],
  [
    'a map',
    "{% for b in backends %}{% case b.name %}{% when 'a' %}one{% else %}other{% endcase %} {% endfor %}",
    'one other ',
  ],
])('%s', (_what, main, text) => {
  const whenGuarded = `{% if backends.size > 1 %}${main}{% endif %}`;
  if (text === undefined) expect(() => printed(whenGuarded, a, b)).toThrow('quote');
  else expect(printed(whenGuarded, a, b)).toBe(text);
});

test('a template with the time in it is another file every second, which the README warns of', () => {
  const { of } = renderer({ main: "{{ 'now' | date: '%N' }}" });
  const generations = new Set(Array.from({ length: 50 }, () => of([a]).generation));
  expect(generations.size).toBeGreaterThan(1);
});
