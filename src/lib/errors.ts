/**
 * Errors that carry what the outermost function needs: a code for programs,
 * one line for people.
 */

export class CodedError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The operator asked for something that cannot be: one line, exit status 2, nothing started. */
export class UsageError extends CodedError {
  constructor(message: string) {
    super('USAGE', message);
  }
}

/** A call, command or probe did not end within its deadline. */
export class DeadlineError extends CodedError {
  constructor(what: string, timeoutMs: number) {
    super('DEADLINE', `${what}: no answer within ${Math.round(timeoutMs)} ms`);
  }
}

/** The reason of whatever was thrown, on one line. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text.replaceAll(/\s+/g, ' ').trim();
}

/** The `code` of a Node system error (ENOENT, ECONNREFUSED, ...), if it has one. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}
