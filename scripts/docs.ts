/**
 * `npm run docs`: regenerates the option tables of README.md and the environment files of the units
 * from where the options are declared, and, with --story, README's first screen from a real run. All
 * other text stays as it is.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { shutdownSignal } from '../src/lib/shutdown.ts';
import { envFiles } from './docs/env-files.ts';
import { generatedTables, readmePath } from './docs/generated.ts';
import { replaceMarked } from './docs/marked.ts';
import { toldStory } from './docs/story.ts';

const { values: asked } = parseArgs({ options: { story: { type: 'boolean', default: false } } });
const contents: Record<string, string> = { ...generatedTables };
if (asked.story) contents['story'] = await toldStory(shutdownSignal());

// Read only now: the story takes more than a minute, and somebody may be writing.
const before = await readFile(readmePath, 'utf8');
const after = Object.entries(contents).reduce(
  (text, [name, content]) => replaceMarked(text, name, content),
  before,
);
if (after !== before) await writeFile(readmePath, after);
process.stdout.write(after === before ? 'README.md is up to date\n' : 'README.md written\n');
for (const [path, text] of envFiles) {
  await mkdir(new URL('.', path), { recursive: true });
  await writeFile(path, text);
}
