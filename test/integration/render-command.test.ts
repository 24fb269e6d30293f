/** `rollcall render`, as it ships: what it prints, what it sets aside, and what it refuses. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeScratch, type Scratch } from '../../scripts/parts/scratch.ts';
import { generationOf } from '../../src/balancer/render/render.ts';
import { runCli } from '../support/cli.ts';

let scratch: Scratch;
beforeAll(async () => void (scratch = await makeScratch('render')));
afterAll(() => scratch[Symbol.asyncDispose]());

async function file(name: string, content: unknown): Promise<string> {
  const path = join(scratch.path, name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

/** Gives the file as standard input. */
const from = (path: string) => ({ through: ['sh', '-c', 'exec "$@" <"$0"', path] });

const two = { '/test/a': '10.0.0.1:80', '/test/b': { address: '10.0.0.2:80', weight: 3 } };

test('the file that the balancer would write, from a file or from standard input', async () => {
  const path = await file('two.json', two);
  const ran = await runCli(['render', '--listen', '8080', '--backends', path]);
  expect(ran).toMatchObject({ status: 0, stderr: '' });
  expect(ran.stdout).toContain('\n    server 10.0.0.1:80;\n    server 10.0.0.2:80 weight=3;\n');
  expect(ran.stdout).toContain('listen 8080;');
  expect(generationOf(ran.stdout)).toMatch(/^[0-9a-f]{12}$/);
  const flags = ['render', '--listen', '8080'];
  expect(await runCli(flags, from(path))).toEqual(ran);
  expect(await runCli([...flags, '--backends', '-'], from(path))).toEqual(ran);
});

test('several services, and what is set aside, on standard error', async () => {
  const path = await file('mixed.json', { ...two, '/api/x': '10.0.0.3:80', '/elsewhere/y': 'z' });
  const words = ['--service', 'web=/test', '--service', 'api=/api', '--backends', path];
  const { status, stdout, stderr } = await runCli(['render', ...words]);
  expect(status).toBe(0);
  expect(stdout).toContain('upstream web {');
  expect(stdout).toContain('server_name api api.*;');
  expect(stderr).toBe('rollcall: set aside: /elsewhere/y: key: it is not below /test/, /api/\n');
});

test('a template of one’s own, without the confirmation', async () => {
  const template = await file('own.liquid', '{% for b in backends %}{{ b.name }};{% endfor %}\n');
  const path = await file('two.json', two);
  const ran = await runCli(['render', '--template', template, '--backends', path]);
  expect(ran).toMatchObject({ status: 0, stderr: '' });
  expect(ran.stdout.split('\n').slice(1)).toEqual(['a;b;', '']);
});

test('--help names its options', async () => {
  const { status, stdout } = await runCli(['render', '--help']);
  expect(status).toBe(0);
  for (const word of [
    'rollcall render',
    '--backends <FILE>',
    'ROLLCALL_SERVICE',
    '--template <FILE>',
  ]) {
    expect(stdout).toContain(word);
  }
});

test('more than a pipe holds is printed to its end', async () => {
  const many = Array.from({ length: 20_000 }, (_, n) => [
    `/test/a${n}`,
    `10.0.${n >> 8}.${n & 255}:80`,
  ]);
  const path = await file('many.json', Object.fromEntries(many));
  const { status, stdout } = await runCli(['render', '--backends', path]);
  expect(status).toBe(0);
  expect(stdout.match(/^ {4}server 10\./gm)).toHaveLength(20_000);
  expect(generationOf(stdout)).toBeDefined();
});

const wrong: Readonly<
  Record<string, readonly [(path: string) => Promise<readonly string[]>, ...string[]]>
> = {
  'a file that is not there': [
    async () => ['--backends', '/no/file'],
    '--backends /no/file: ENOENT',
    'give a readable file',
  ],
  'a directory': [async () => ['--backends', '/'], '--backends /: EISDIR'],
  'what is no JSON': [
    async () => ['--backends', await file('bad', '{"/test/a"')],
    'it is not JSON',
    'give an object',
  ],
  'a list': [async () => ['--backends', await file('list', '[]')], 'it is not a JSON object'],
  'nothing on standard input': [async () => [], '--backends -: it is not JSON'],
  'a template that does not parse': [
    async (path) => ['--backends', path, '--template', await file('t1', '\n{% if x %}')],
    ...['--template /', 'not closed, line:2, col:1'],
  ],
  'a template that fails on these backends': [
    async (path) => [
      '--backends',
      path,
      '--template',
      await file('t2', '{% for b in backends %}{{ b.meta.zone }}{% endfor %}'),
    ],
    ...['--template /', 'undefined variable: b.meta.zone, line:1'],
  ],
  'a value that needs quotes': [
    async (path) => ['--backends', path, '--template', await file('t3', "\n\n{{ 'a b' }}")],
    ...['--template /', 'pass it through "| quote", line:3'],
  ],
  'an endless template': [
    async (path) => [
      '--backends',
      path,
      '--template',
      await file('t4', '{% for i in (1..999999999) %}{% endfor %}'),
    ],
    ...['--template /', 'limit exceeded, line:1'],
  ],
  'two services with one prefix': [
    async () => ['--service', 'a=/a', '--service', 'b=/a'],
    ...['--service: ', 'both have the prefix /a'],
  ],
  'a word too many': [async () => ['file.json'], 'too many arguments'],
};

test.for(Object.entries(wrong))('%s is refused on one line', async ([, [words, ...says]]) => {
  const path = await file('two.json', two);
  const { status, stdout, stderr } = await runCli(['render', ...(await words(path))]);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(/^rollcall: [^\n]+\n$/);
  for (const part of says) expect(stderr).toContain(part);
});
