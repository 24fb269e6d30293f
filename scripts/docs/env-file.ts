/**
 * An environment file with every option of a command, for systemd's EnvironmentFile= and docker's
 * --env-file: what has to be said stands there, all else is in a comment with its default. Pure.
 * Nothing is in quotes, since docker would pass them on.
 */
import { type Option, type OptionSet, variableFor } from '../../src/options/option.ts';

/** @param examples the value of each option that has to be said, by its name. */
export function envFile(
  command: string,
  options: OptionSet,
  examples: Readonly<Record<string, string>>,
): string {
  const parts = Object.entries(options).flatMap(([name, option]) => {
    const variable = variableFor(name, option);
    if (variable === undefined) return [];
    const example = examples[name];
    const line =
      example === undefined ? `#${variable}=${option.default ?? ''}` : `${variable}=${example}`;
    return [`# ${meaningOf(option)}\n${line}`];
  });
  return `${[headOf(command), ...parts].join('\n\n')}\n`;
}

const headOf = (command: string) =>
  [
    `# Every option of \`rollcall ${command}\`. What begins with "#" is as it is without it.`,
    '# An empty value is as good as none. No quotes: docker --env-file takes them for a part of the value.',
  ].join('\n');

function meaningOf({ help, placeholder, defaultHelp, required }: Option<unknown>): string {
  const takes = placeholder === undefined ? 'true or false' : placeholder;
  const otherwise = defaultHelp === undefined || required ? '' : `; without it: ${defaultHelp}`;
  return `${takes}: ${help}${otherwise}`;
}
