// Whether nginx can be asked for the generation that a template prints.
import { expect, test } from 'vitest';
import { renderer } from './rendering.ts';

const told = '"generation":"{{ generation }}"';

test.each([
  ['the part that ships', "http {\n{% include 'confirm' %}\n}\n"],
  ['an answer of its own', `return 200 '{${told}}';\n`],
  ['an answer below a comment', `# the generation\nreturn 200 '{${told}}';\n`],
  ['an answer beside one', `listen 80; # private\nreturn 200 '{${told}}'; # ${told}\n`],
  ['an answer with a "#" in a word before it', `return 200 'a#b {${told}}';\n`],
])('%s tells it', (_what, main) => {
  expect(renderer({ main }).tellsGeneration).toBe(true);
});

test.each([
  ['a comment', `# {${told}}\nhttp {}\n`],
  ['a comment at the end of a line', `events {} # {${told}}\n`],
  ['a comment right behind a directive', `http {}# {${told}}\nworker_processes 1;#{${told}}\n`],
  ['an indented comment', `http {\n\t # {${told}}\n}\n`],
  ['the first line, which is always there', 'http {}\n'],
])('%s does not', (_what, main) => {
  expect(renderer({ main }).tellsGeneration).toBe(false);
});
