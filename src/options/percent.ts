/** A share as an operator writes it. */
import { BadValue } from './values.ts';

/** "50%" to 0.5. */
export function percent(text: string): number {
  const [, digits] = /^(\d{1,3}(?:\.\d{1,3})?)%$/.exec(text) ?? [];
  const share = Number(digits) / 100;
  if (!(share >= 0 && share <= 1)) throw new BadValue('0% to 100%, such as 50%');
  return share;
}
