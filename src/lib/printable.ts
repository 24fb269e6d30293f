/**
 * Text from elsewhere that can be shown on one line of a terminal: control characters, lone
 * surrogates, and what turns the direction of writing have no place there.
 */
export const printable = (text: string, mostChars: number): string =>
  Array.from(text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '\u{fffd}'))
    .slice(0, mostChars)
    .join('');
