/**
 * One subcommand from argv and the environment to typed settings, on commander.
 * Nothing runs from here: a wrong word is a UsageError on one line, --help is
 * printed by commander and ends with status 0.
 */
import { Command, CommanderError, Option as CommanderOption } from 'commander';
import { UsageError } from '../lib/errors.ts';
import { printable } from '../lib/printable.ts';
import type { GivenText, OptionSet, OptionValues } from './option.ts';
import { flagOf, parseOptions, variableFor } from './option.ts';

export interface CommandSpec<S extends OptionSet> {
  readonly name: string;
  readonly summary: string;
  /** At most one of them is positional. */
  readonly options: S;
}

/** Thrown when --help or --version was asked for and has been printed. */
export class HelpShown extends Error {}

/** The commander command of one subcommand: for parsing, --help and the documents. */
export function commandOf<S extends OptionSet>({
  name,
  summary,
  options,
}: CommandSpec<S>): Command {
  const command = new Command(`rollcall ${name}`).description(summary).helpOption('-h, --help');
  for (const [key, declared] of Object.entries(options)) {
    const { placeholder, help, default: byDefault, defaultHelp, required, separator } = declared;
    const flags = placeholder ? `${flagOf(key)} <${placeholder}>` : flagOf(key);
    const meaning = required ? 'required' : `default: ${defaultHelp ?? byDefault}`;
    const variable = variableFor(key, declared);
    const described = `${help} (${variable === undefined ? meaning : `${meaning}; ${variable}`})`;
    if (declared.positional) {
      // In brackets, since it may also come from its variable.
      command.argument(`[${placeholder}]`, described);
      continue;
    }
    const flag = new CommanderOption(flags, described);
    if (separator)
      flag.argParser((text, before?: string) => (before ? `${before}\n${text}` : text));
    command.addOption(flag);
  }
  // With a word of its own, what is too much is refused by parseCommandLine, which knows its name.
  return command.allowExcessArguments(positionalOf(options) !== undefined).exitOverride();
}

/**
 * @throws UsageError for anything unknown or not accepted; HelpShown after --help.
 */
export function parseCommandLine<S extends OptionSet>(
  spec: CommandSpec<S>,
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): OptionValues<S> {
  const command = commandOf(spec).configureOutput({ writeErr: () => {} });
  try {
    command.parse(apart(argv, spec.options), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) throw new HelpShown();
    throw new UsageError(oneLine(error.message));
  }
  const positional = positionalOf(spec.options);
  const flags: Readonly<Record<string, string | true | undefined>> = {
    ...command.opts(),
    ...(positional && { [positional.name]: onlyWord(command.args, positional.placeholder) }),
  };
  const given: Record<string, GivenText> = {};
  for (const [name, declared] of Object.entries(spec.options)) {
    const { separator = '\n' } = declared;
    const flag = flags[name];
    const from = variableFor(name, declared);
    // An empty variable is how an environment file says "not set".
    const variable = (from === undefined ? undefined : environment[from]) || undefined;
    if (flag !== undefined) given[name] = { text: String(flag), source: 'flag' };
    else if (variable !== undefined)
      given[name] = { text: variable.replaceAll(separator, '\n'), source: 'environment' };
  }
  return parseOptions(spec.options, given);
}

function positionalOf(options: OptionSet) {
  const found = Object.entries(options).find(([, { positional }]) => positional);
  return found && { name: found[0], placeholder: found[1].placeholder ?? found[0] };
}

function onlyWord(words: readonly string[], placeholder: string): string | undefined {
  if (words.length < 2) return words[0];
  const shown = words.map((word) => JSON.stringify(printable(word, 80))).join(', ');
  throw new UsageError(
    `one ${placeholder} at a time, and there are ${words.length} words that belong to no option: ${shown}`,
  );
}

/**
 * "--tll=5s" to "--tll" and "5s": commander would look for the nearest known flag of the whole. The
 * word after an option that takes one is its value, whatever it looks like.
 */
function apart(argv: readonly string[], options: OptionSet): readonly string[] {
  const takesValue = new Map(
    Object.entries(options).map(([name, { placeholder }]) => [
      flagOf(name),
      placeholder !== undefined,
    ]),
  );
  return argv.flatMap((word, index) => {
    const [, flag, value] = /^(--[\w-]+)=(.*)$/s.exec(word) ?? [];
    if (flag === undefined || value === undefined || takesValue.get(argv[index - 1] ?? '')) {
      return [word];
    }
    if (takesValue.get(flag) === false) {
      throw new UsageError(
        `${flag} takes no value, and was given ${JSON.stringify(value)}: leave it out`,
      );
    }
    return [flag, value];
  });
}

/** "error: unknown option '--tll'\n(Did you mean --ttl?)" to one line. */
function oneLine(message: string): string {
  return message.replace(/^error: /, '').replaceAll(/\s*\n\s*/g, ' ');
}
