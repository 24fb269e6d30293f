/**
 * What the balancer finds wrong with the machine before it starts: a program, a template or a
 * directory that could never work. One line, exit status 2, nothing touched (refusal.ts).
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeScratch, type Scratch } from '../../scripts/parts/scratch.ts';
import { refusal, startUntouched, type Untouched, type Wrong } from '../support/refusal.ts';

let world: Untouched;
let scratch: Scratch;
beforeAll(async () => {
  world = await startUntouched();
  scratch = await makeScratch('bad-input');
});
afterAll(async () => {
  await scratch[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

const machine: readonly Wrong[] = [
  ['no such nginx', ['--nginx-bin', '/no/nginx'], '--nginx-bin /no/nginx', 'ENOENT', 'give the'],
  ['an nginx that fails', ['--nginx-bin', 'false'], '--nginx-bin false', 'status 1', 'give the'],
  ['no such template', ['--template', '/no/template'], '--template /no/template: ', 'ENOENT'],
  ['a directory for a template', ['--template', '/'], '--template /: ', 'EISDIR'],
  ['a device for a template', ['--template', '/dev/zero'], '--template /dev/zero: ', 'not a file'],
  [
    'a file in a missing directory',
    ['--nginx-conf', '/no/nginx.conf'],
    '--nginx-conf /no/nginx.conf',
    '/no cannot be written (it does not exist)',
    'give a file in a writable directory',
  ],
  ['a directory for a file', ['--nginx-conf', '/tmp'], '--nginx-conf /tmp', 'is a directory'],
  ['a file for a directory', ['--nginx-conf', '/etc/passwd/a'], '--nginx-conf /etc/passwd/a'],
];

test.concurrent.for(machine)('%s', async ([, given, ...says]) => {
  expect(await world.run([...world.balancer, ...given])).toEqual(refusal(...says));
});

const whole = "events {}\nhttp {\n{% include 'confirm' %}\n}\n";

const templates: Readonly<Record<string, readonly [text: string, ...says: readonly string[]]>> = {
  'a tag without its end': ['{% if backends %}\nevents {}', 'not closed', 'line:1'],
  'an unknown tag': [`# one\n# two\n{% forr a in b %}\n${whole}`, '"forr"', 'line:3'],
  'an unknown filter': [`${whole}{{ pid | nofilter }}`, 'nofilter', 'line:5'],
  'an unknown variable': [`${whole}{{ pidd }}`, 'pidd', 'line:5'],
  'a loop without end': [`${whole}{% for i in (1..99999999) %}{{ i }}{% endfor %}`, 'limit'],
  'a file of its own': [`${whole}{% include '/etc/hostname' %}`, '/etc/hostname', 'line:5'],
};

describe.concurrent('a template with', () => {
  test.for(Object.entries(templates))('%s', async ([title, [text, ...says]]) => {
    const path = join(scratch.path, `${title.replaceAll(' ', '-')}.liquid`);
    await writeFile(path, text);
    const ran = await world.run([...world.balancer, '--template', path]);
    expect(ran).toEqual(refusal(`--template ${path}: `, ...says));
  });
});

test('a directory that cannot be written', async () => {
  const directory = join(scratch.path, 'not-ours');
  const conf = join(directory, 'nginx.conf');
  await mkdir(directory, { mode: 0o555 });
  const through = withoutRootsPower();
  const ran = await world.run([...world.balancer, '--nginx-conf', conf], { through });
  expect(ran).toEqual(refusal(conf, 'EACCES', 'give a file in a writable directory'));
});

/** root may write everywhere, by a capability that it can be without. */
function withoutRootsPower(): readonly string[] {
  if (process.getuid?.() !== 0) return [];
  const without = ['--bounding-set', '-dac_override', '--inh-caps', '-dac_override'];
  return ['setpriv', ...without, '--'];
}
