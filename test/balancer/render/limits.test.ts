// A template ends, in bounded time and memory, whatever it says; a large pool is no such template.
import { expect, test } from 'vitest';
import { backend } from '../../support/builders.ts';
import { renderer } from './rendering.ts';

const deep = (levels: number, body: string) =>
  '{% for i in (1..99) %}'.repeat(levels) + body + '{% endfor %}'.repeat(levels);
const much = 'x'.repeat(10_000);

const templates: Readonly<Record<string, readonly [main: string, why: string]>> = {
  'nested loops': [deep(8, '.'), 'limit exceeded'],
  'a range without end': ['{% for i in (1..1000000000) %}{% endfor %}', 'memory alloc limit'],
  'ranges without end': [
    '{% for i in (1..99) %}{% assign n = (1..1000000) | size %}{% endfor %}',
    'memory alloc limit exceeded',
  ],
  'half a gigabyte of its own text': [
    `{% for i in (1..50000) %}${much}{% endfor %}`,
    'print limit exceeded',
  ],
  'half a gigabyte of values': [
    `{% assign x = '${much}' %}{% for i in (1..50000) %}{{ x }}{% endfor %}`,
    'print limit exceeded',
  ],
  'half a gigabyte in a variable': [
    `{% capture x %}{% for i in (1..50000) %}${much}{% endfor %}{% endcapture %}`,
    'print limit exceeded',
  ],
  'a variable that doubles': [
    "{% assign x = 'x' %}{% for i in (1..99) %}{% assign x = x | append: x %}{% endfor %}",
    'memory alloc limit exceeded',
  ],
  'a capture that doubles': [
    "{% assign x = 'x' %}{% for i in (1..99) %}{% capture x %}{{ x }}{{ x }}{% endcapture %}{% endfor %}",
    'print limit exceeded',
  ],
  'a list that doubles': [
    "{% assign x = 'a,b' | split: ',' %}{% for i in (1..99) %}{% assign x = x | concat: x %}{% endfor %}",
    'memory alloc limit exceeded',
  ],
  'a part that includes itself': ["{% include 'own' %}", '"own"'],
  'a layout of itself': ["{% layout 'own' %}", '"own"'],
  'thousands of levels': [
    `${'{% if listen %}'.repeat(20_000)}${'{% endif %}'.repeat(20_000)}`,
    'call stack',
  ],
};

test.each(Object.entries(templates))('%s is an error within seconds', (_what, [main, why]) => {
  const began = performance.now();
  const before = process.memoryUsage().rss;
  expect(() => renderer({ main })).toThrow(why);
  expect(performance.now() - began).toBeLessThan(5000);
  expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024);
});

const many = Array.from({ length: 100_000 }, (_, n) =>
  backend(
    `apache-${n}`,
    `10.${Math.trunc(n / 65_536)}.${Math.trunc(n / 256) % 256}.${n % 256}:8001`,
  ),
);

test('a hundred thousand backends are no such template', () => {
  const { text } = renderer().of(many);
  expect(text.match(/^ {4}server /gm)).toHaveLength(100_000);
});

test('nor where a template loops over twenty thousand of them', () => {
  const main = '{% for b in backends %}server {{ b.address }} weight={{ b.weight }};\n{% endfor %}';
  const { text } = renderer({ main }).of(many.slice(0, 20_000));
  expect(text.match(/^server /gm)).toHaveLength(20_000);
});
