/** The options of one command as a Markdown table, from where they are declared. Pure. */
import { type Option, type OptionSet, usageOf, variableFor } from '../../src/options/option.ts';

const header = ['Flag', 'Variable', 'Default', 'Meaning'];

export function optionTable(options: OptionSet): string {
  const rows = Object.entries(options).map(([name, option]) => [
    code(usageOf(name, option)),
    variableOr(name, option),
    defaultOf(option),
    option.help,
  ]);
  return [header, header.map(() => '---'), ...rows].map(lineOf).join('\n');
}

function variableOr(name: string, option: Option<unknown>): string {
  const variable = variableFor(name, option);
  return variable === undefined ? 'none' : code(variable);
}

function defaultOf({ required, default: text, defaultHelp, placeholder }: Option<unknown>): string {
  if (required) return 'required';
  // A switch has no value to name.
  if (placeholder === undefined) return 'off';
  return defaultHelp ?? code(text ?? '');
}

const code = (text: string) => `\`${text}\``;

const lineOf = (cells: readonly string[]) =>
  `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
