import { expect, test } from 'vitest';
import { planSeed } from '../../src/balancer/seed-plan.ts';

const source = ['nginx.conf', 'conf.d', 'mime.types'];

test.each([
  ['an empty directory', []],
  ['one that a file system has marked', ['lost+found']],
  ['one with a copy that did not end', ['.rollcall-seed-conf.d']],
])('%s is filled, nginx.conf last', (_what, names) => {
  expect(planSeed(names, source)).toEqual({
    kind: 'fill',
    missing: ['conf.d', 'mime.types', 'nginx.conf'],
  });
});

test('what a balancer has left in either is no part of a configuration', () => {
  const left = [
    '.nginx.conf.rollcall-lock',
    '.nginx.conf.rollcall-state',
    'nginx.conf.before-rollcall',
  ];
  expect(planSeed(left.slice(1), [...left, ...source])).toEqual({
    kind: 'fill',
    missing: ['conf.d', 'mime.types', 'nginx.conf'],
  });
});

test('what was left half filled is completed', () => {
  expect(planSeed(['conf.d'], source)).toEqual({
    kind: 'fill',
    missing: ['mime.types', 'nginx.conf'],
  });
});

test.each([
  ['a whole one', source],
  ['an nginx.conf alone', ['nginx.conf']],
  ['an nginx.conf among other things', ['nginx.conf', 'base']],
  ['a begun one of another make', ['mime.types', 'sites']],
])('%s is kept', (_what, names) => {
  expect(planSeed(names, source)).toEqual({ kind: 'keep' });
});

test('what is no configuration of nginx is refused, and named', () => {
  expect(planSeed(['base', 'lost+found', 'PG_VERSION'], source)).toEqual({
    kind: 'refuse',
    foreign: ['base', 'PG_VERSION'],
  });
});
