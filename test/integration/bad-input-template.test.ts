/**
 * A template that would take all the time or all the memory there is: both commands refuse it at
 * their start, on one line with its place, in little of either.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeScratch, type Scratch } from '../../scripts/parts/scratch.ts';
import { refusal, startUntouched, type Untouched } from '../support/refusal.ts';
import { measureStalls } from '../support/stalls.ts';

/** What rendering may take, and a process to start and to end. */
const endsWithinMs = 2000 + 2000;
/** 32 million characters and 8 million elements, some of them twice, beside 80 MB for the rest. */
const mostKb = 400 * 1024;

/** Writes down what the process that loads it took at most, for itself alone. */
const witness = `
import { readFileSync, writeFileSync } from 'node:fs';
process.on('exit', () => {
  const status = readFileSync('/proc/self/status', 'latin1');
  writeFileSync(process.env.TEST_PEAK, /^VmHWM:\\s+(\\d+) kB$/m.exec(status)[1]);
});
`;

const much = 'x'.repeat(10_000);

const templates: Readonly<Record<string, readonly [text: string, ...says: readonly string[]]>> = {
  'renders for ever': [
    `{% assign all = (1..1000) %}
{% for a in all %}{% for b in all %}{% for c in all %}{% endfor %}{% endfor %}{% endfor %}`,
    ...['template render limit exceeded', 'line:2'],
  ],
  'prints half a gigabyte': [
    `events {}\n{% for n in (1..50000) %}${much}{% endfor %}`,
    ...['print limit exceeded', 'line:2'],
  ],
  'prints half a gigabyte of one value': [
    `{% assign x = '${much}' %}\n\n{% for n in (1..50000) %}{{ x }}{% endfor %}`,
    ...['print limit exceeded', 'line:3'],
  ],
  'captures half a gigabyte': [
    `{% capture x %}\n{% for n in (1..50000) %}${much}{% endfor %}{% endcapture %}`,
    ...['print limit exceeded', 'line:2'],
  ],
  'doubles a text half a gigabyte long': [
    `{% assign x = '${much}' %}\n{% for n in (1..16) %}{% assign x = x | append: x %}{% endfor %}`,
    ...['memory alloc limit exceeded', 'line:2'],
  ],
  'puts half a gigabyte in place of letters': [
    `{% assign x = '${much}' %}\n{% assign y = x | append: x | append: x | append: x %}
{% assign z = y | replace: 'x', x %}`,
    ...['memory alloc limit exceeded', 'line:3'],
  ],
};

let world: Untouched;
let scratch: Scratch;
let env: Record<string, string>;
beforeAll(async () => {
  world = await startUntouched();
  scratch = await makeScratch('bad-template');
  await writeFile(join(scratch.path, 'witness.mjs'), witness);
  env = { NODE_OPTIONS: `--import=${join(scratch.path, 'witness.mjs')}` };
});
afterAll(async () => {
  await scratch[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

describe.each(['balancer', 'render'] as const)('rollcall %s refuses a template that', (command) => {
  test.for(Object.entries(templates))('%s', async ([title, [text, ...says]]) => {
    const path = join(scratch.path, `${title.replaceAll(' ', '-')}.liquid`);
    const peak = `${path}.${command}.peak`;
    await writeFile(path, text);
    using stalls = measureStalls();
    const startedAt = performance.now();
    const words = command === 'balancer' ? world.balancer : [command];
    const ran = await world.run([...words, '--template', path], {
      env: { ...env, TEST_PEAK: peak },
    });
    const tookMs = performance.now() - startedAt - stalls.totalMs;
    expect(ran).toEqual(refusal(`--template ${path}: `, ...says));
    expect(tookMs).toBeLessThan(endsWithinMs);
    expect(Number(await readFile(peak, 'utf8'))).toBeLessThan(mostKb);
  });
});
