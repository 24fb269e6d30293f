import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { envFiles } from '../scripts/docs/env-files.ts';
import { generatedTables, readmePath } from '../scripts/docs/generated.ts';
import { readMarked, replaceMarked } from '../scripts/docs/marked.ts';
import { optionTable } from '../scripts/docs/option-table.ts';
import { spec as balancer } from '../src/commands/balancer.ts';
import { spec as drain } from '../src/commands/drain.ts';
import { spec as health } from '../src/commands/health.ts';
import { spec as render } from '../src/commands/render.ts';
import { spec as seed } from '../src/commands/seed.ts';
import { spec as undrain } from '../src/commands/undrain.ts';
import { spec as wait } from '../src/commands/wait.ts';
import { spec as watchdog } from '../src/commands/watchdog.ts';
import { balancerSettings } from '../src/options/balancer-options.ts';
import { type CommandSpec, commandOf, parseCommandLine } from '../src/options/command-line.ts';
import { type OptionSet, variableFor, wordOf } from '../src/options/option.ts';
import { watchdogSettings } from '../src/options/watchdog-options.ts';

test.each(Object.entries(generatedTables))(
  'README.md has %s as `npm run docs` writes it',
  (name, table) => {
    expect(readMarked(readFileSync(readmePath, 'utf8'), name)).toBe(table);
  },
);

test.each(envFiles)('%s is as `npm run docs` writes it', (path, text) => {
  expect(readFileSync(path, 'utf8')).toBe(text);
});

const linesOf = (name: string, form: RegExp): Readonly<Record<string, string>> => {
  const text = readFileSync(new URL(`../units/env/${name}.env`, import.meta.url), 'utf8');
  return Object.fromEntries(
    Array.from(text.matchAll(form), ([, variable = '', value = '']) => [variable, value]),
  );
};
const settingsOf = {
  watchdog: (given: Readonly<Record<string, string>>) =>
    watchdogSettings(parseCommandLine(watchdog, [], given)),
  balancer: (given: Readonly<Record<string, string>>) =>
    balancerSettings(parseCommandLine(balancer, [], given)),
};

test.each(['watchdog', 'balancer'] as const)(
  '%s.env: every line may stand, together and with those in comments; these change nothing',
  (name) => {
    const stands = linesOf(name, /^(ROLLCALL_\w+)=(.*)$/gm);
    const all = linesOf(name, /^#?(ROLLCALL_\w+)=(.*)$/gm);
    expect(settingsOf[name](all)).toEqual(settingsOf[name](stands));
    // docker --env-file passes quotes on.
    expect(Object.values(all).filter((value) => /^["']/.test(value))).toEqual([]);
  },
);

test('README.md has a place for the story', () => {
  expect(() => readMarked(readFileSync(readmePath, 'utf8'), 'story')).not.toThrow();
});

const specs: readonly CommandSpec<OptionSet>[] = [
  ...[watchdog, balancer, render],
  ...[drain, undrain, wait, seed, health],
];

test.each(specs)('$name --help names each option and its variable', (spec) => {
  const help = commandOf(spec).helpInformation().replaceAll(/\s+/g, ' ');
  for (const [name, option] of Object.entries(spec.options)) {
    expect(help).toContain(`${wordOf(name, option)} `);
    const variable = variableFor(name, option);
    if (variable !== undefined) expect(help).toContain(`${variable})`);
  }
});

test('each command that an operator has is in a table', () => {
  const tables = specs.map(({ name }) => `options:${name}`);
  expect(Object.keys(generatedTables).toSorted()).toEqual(tables.toSorted());
});

test('a row has the flag, the variable, the default and the meaning', () => {
  const parse = String;
  const table = optionTable({
    fastInterval: { placeholder: 'DURATION', help: 'a | b', default: '1s', parse },
    key: { placeholder: 'KEY', help: 'the key', required: true, parse },
    template: { placeholder: 'FILE', help: 'a file', default: '', defaultHelp: 'none', parse },
    once: { help: 'once', default: 'false', parse },
    force: { help: 'all the same', default: 'false', environment: false, parse },
    name: { positional: true, placeholder: 'NAME', help: 'the name', required: true, parse },
  });
  expect(table.split('\n')).toEqual([
    '| Flag | Variable | Default | Meaning |',
    '| --- | --- | --- | --- |',
    String.raw`| ${'`--fast-interval DURATION`'} | ${'`ROLLCALL_FAST_INTERVAL`'} | ${'`1s`'} | a \| b |`,
    '| `--key KEY` | `ROLLCALL_KEY` | required | the key |',
    '| `--template FILE` | `ROLLCALL_TEMPLATE` | none | a file |',
    '| `--once` | `ROLLCALL_ONCE` | off | once |',
    '| `--force` | none | off | all the same |',
    '| `NAME` | `ROLLCALL_NAME` | required | the name |',
  ]);
});

test('only what is between the markers is replaced, and twice is once', () => {
  const text = '# A\n<!-- b -->\nold\n<!-- /b -->\n$& and the rest\n';
  const written = replaceMarked(text, 'b', 'new $1');
  expect(written).toBe('# A\n<!-- b -->\n\nnew $1\n\n<!-- /b -->\n$& and the rest\n');
  expect(replaceMarked(written, 'b', 'new $1')).toBe(written);
  expect(readMarked(written, 'b')).toBe('new $1');
});

test.each([
  ['none', 'text', 'missing'],
  ['no end', '<!-- b --> text', 'missing'],
  ['the wrong order', '<!-- /b --> <!-- b -->', 'missing'],
  ['two', '<!-- b --><!-- /b --><!-- b --><!-- /b -->', 'twice'],
])('markers: %s is an error', (_what, text, why) => {
  expect(() => replaceMarked(text, 'b', 'new')).toThrow(why);
});
