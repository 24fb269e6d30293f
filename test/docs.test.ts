import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { generatedTables, readmePath } from '../scripts/docs/generated.ts';
import { readMarked, replaceMarked } from '../scripts/docs/marked.ts';
import { optionTable } from '../scripts/docs/option-table.ts';
import { spec as balancer } from '../src/commands/balancer.ts';
import { spec as watchdog } from '../src/commands/watchdog.ts';
import { commandOf } from '../src/options/command-line.ts';
import { flagOf, variableOf } from '../src/options/option.ts';

test.each(Object.entries(generatedTables))(
  'README.md has %s as `npm run docs` writes it',
  (name, table) => {
    expect(readMarked(readFileSync(readmePath, 'utf8'), name)).toBe(table);
  },
);

test('README.md has a place for the story', () => {
  expect(() => readMarked(readFileSync(readmePath, 'utf8'), 'story')).not.toThrow();
});

test.each([watchdog, balancer])('$name --help names each option and its variable', (spec) => {
  const help = commandOf<typeof spec.options>(spec).helpInformation().replaceAll(/\s+/g, ' ');
  for (const name of Object.keys(spec.options)) {
    expect(help).toContain(`${flagOf(name)} `);
    expect(help).toContain(`${variableOf(name)})`);
  }
});

test('a row has the flag, the variable, the default and the meaning', () => {
  const parse = String;
  const table = optionTable({
    fastInterval: { placeholder: 'DURATION', help: 'a | b', default: '1s', parse },
    key: { placeholder: 'KEY', help: 'the key', required: true, parse },
    template: { placeholder: 'FILE', help: 'a file', default: '', defaultHelp: 'none', parse },
    once: { help: 'once', default: 'false', parse },
  });
  expect(table.split('\n')).toEqual([
    '| Flag | Variable | Default | Meaning |',
    '| --- | --- | --- | --- |',
    String.raw`| ${'`--fast-interval DURATION`'} | ${'`ROLLCALL_FAST_INTERVAL`'} | ${'`1s`'} | a \| b |`,
    '| `--key KEY` | `ROLLCALL_KEY` | required | the key |',
    '| `--template FILE` | `ROLLCALL_TEMPLATE` | none | a file |',
    '| `--once` | `ROLLCALL_ONCE` | off | once |',
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
