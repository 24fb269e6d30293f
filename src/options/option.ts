/**
 * An option is declared once. From that one declaration come its flag, its
 * environment variable, its type, its validation, its line in --help and its row
 * in the README. Precedence: flag, environment, default.
 */
import { UsageError } from '../lib/errors.ts';
import { BadValue } from './values.ts';

export interface Option<T> {
  /** In --help: "URL[,URL]". None: a switch, off unless given. */
  readonly placeholder?: string;
  readonly help: string;
  readonly parse: (text: string) => T;
  /** As an operator would write it. None: required, or optional with `parse('')`. */
  readonly default?: string;
  /** What an absent value means, for --help, where `default` is ''. */
  readonly defaultHelp?: string;
  readonly required?: boolean;
  /** How a refused value is shown, where it may hold a secret. */
  readonly shown?: (text: string) => string;
  /**
   * The flag may be given more than once; `parse` gets all that was given, one a line. In the
   * environment they stand in one variable, with this between them.
   */
  readonly separator?: ',' | '\n';
  /** It has no flag: it is the one word of the command that stands alone. */
  readonly positional?: true;
  /** false: it is of one run of a command, and no variable stands for it. */
  readonly environment?: false;
}

/** Declares one option; the type of its value is that of its parser. */
export const option = <T>(declared: Option<T>): Option<T> => declared;

export type OptionSet = Readonly<Record<string, Option<unknown>>>;

export type OptionValues<S extends OptionSet> = {
  readonly [Name in keyof S]: S[Name] extends Option<infer T> ? T : never;
};

/** confirmListen to "--confirm-listen". */
export const flagOf = (name: string) =>
  `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** confirmListen to "ROLLCALL_CONFIRM_LISTEN". */
export const variableOf = (name: string) =>
  `ROLLCALL_${flagOf(name).slice(2).replaceAll('-', '_').toUpperCase()}`;

/** As it is given on the command line: "--ttl", or "KEY" for the word that stands alone. */
export const wordOf = (name: string, { positional, placeholder = '' }: Option<unknown>) =>
  positional ? placeholder : flagOf(name);

/** With what it takes: "--ttl DURATION". */
export const usageOf = (name: string, declared: Option<unknown>) =>
  declared.positional || declared.placeholder === undefined
    ? wordOf(name, declared)
    : `${flagOf(name)} ${declared.placeholder}`;

/** @returns undefined where no variable stands for it. */
export const variableFor = (name: string, { environment }: Option<unknown>) =>
  environment === false ? undefined : variableOf(name);

/** A switch: on by the bare flag, or by true / false in the environment. */
export const onOff: Pick<Option<boolean>, 'parse' | 'default'> = {
  default: 'false',
  parse: (text) => {
    if (text !== 'true' && text !== 'false') throw new BadValue('true or false');
    return text === 'true';
  },
};

/** A value that may be left out: '' is undefined. */
export const optional =
  <T>(parse: (text: string) => T) =>
  (text: string): T | undefined =>
    text === '' ? undefined : parse(text);

/** Where a value was given, to name it in an error. */
export interface GivenText {
  readonly text: string;
  readonly source: 'flag' | 'environment' | 'default';
}

/**
 * @throws UsageError naming the option as the operator gave it (flag or variable),
 * what was given and what is accepted.
 */
export function parseOptions<S extends OptionSet>(
  options: S,
  given: Readonly<Record<string, GivenText | undefined>>,
): OptionValues<S> {
  const values: Record<string, unknown> = {};
  for (const [name, declared] of Object.entries(options)) {
    const { text, source } = given[name] ?? { text: declared.default ?? '', source: 'default' };
    const label = source === 'environment' ? variableOf(name) : wordOf(name, declared);
    if (text === '' && declared.required) {
      const variable = variableFor(name, declared);
      const or = variable === undefined ? '' : ` (or ${variable})`;
      throw new UsageError(`${usageOf(name, declared)} is required${or}: ${declared.help}`);
    }
    try {
      values[name] = declared.parse(text);
    } catch (error) {
      if (!(error instanceof BadValue)) throw error;
      const refused = quote(declared.shown?.(text) ?? text);
      throw new UsageError(`${label}: ${refused} is not accepted: ${error.message}`);
    }
  }
  return values as OptionValues<S>;
}

/** What was given, on one line and of bounded length whatever it was. */
function quote(text: string): string {
  // A password is no business of whoever reads the log.
  const shown = JSON.stringify(text.replaceAll(/\/\/[^/@\s]*@/g, '//...@'));
  return shown.length > 120 ? `${shown.slice(0, 120)}..."` : shown;
}
