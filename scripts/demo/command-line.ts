/**
 * What was asked for on the command line. A wrong word is one line on standard error and exit 2.
 */
import { Command, CommanderError } from 'commander';
import { chapters } from './chapters.ts';
import type { Chapter } from './chapter.ts';

export interface Request {
  readonly story: boolean;
  /** To be told, in their order. */
  readonly chapters: readonly Chapter[];
  /** The one whose world is broken on purpose. */
  readonly sabotaged: Chapter | undefined;
}

interface Flags {
  readonly story?: true;
  readonly chapters?: readonly Chapter[];
  readonly break?: Chapter;
}

export function commandLine(argv: readonly string[]): Request {
  const flags = parse(argv);
  const sabotaged = flags.break;
  const told = flags.chapters ?? (sabotaged && !flags.story ? [sabotaged] : chapters);
  if (sabotaged && !told.includes(sabotaged)) {
    refuse(`--break ${sabotaged.name} needs that chapter among --chapters`);
  }
  return { story: Boolean(flags.story ?? flags.chapters ?? sabotaged), chapters: told, sabotaged };
}

function parse(argv: readonly string[]): Flags {
  const command = new Command('npm start --')
    .description('etcd, three apaches with their watchdogs, the balancer and nginx on this machine')
    .option('--story', 'tell a story of faults, checked step by step, instead of waiting for yours')
    .option('--chapters <names>', 'tell only these chapters, separated by commas', chaptersNamed)
    .option(
      '--break <chapter>',
      'tell this one with its fault sabotaged: it has to fail',
      chapterNamed,
    )
    .addHelpText('after', `\nChapters:\n${chapters.map(helpOf).join('\n')}`)
    .allowExcessArguments(false)
    .configureOutput({ writeErr: () => undefined })
    .exitOverride();
  try {
    return command.parse(argv, { from: 'user' }).opts<Flags>();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (error instanceof CommanderError && error.exitCode === 0) process.exit(0);
    return refuse(error.message.replace(/^error: /, '').replaceAll(/\s*\n\s*/g, ' '));
  }
}

function refuse(reason: string): never {
  process.stderr.write(`${reason}\n`);
  process.exit(2);
}

function helpOf({ name, title, sabotage }: Chapter): string {
  return `  ${name.padEnd(17)}${title}\n${' '.repeat(19)}broken: ${sabotage}`;
}

function chaptersNamed(names: string): Chapter[] {
  const asked = names.split(',').map(chapterNamed);
  return chapters.filter((chapter) => asked.includes(chapter));
}

function chapterNamed(name: string): Chapter {
  const found = chapters.find((chapter) => chapter.name === name);
  if (found) return found;
  const known = chapters.map((chapter) => chapter.name).join(', ');
  throw new Error(`unknown chapter '${name}': the chapters are ${known}`);
}
