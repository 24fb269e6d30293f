/**
 * Where watchdogs and balancers write what is no backend. No reader of backends may ever meet it:
 * it lies neither at nor above nor below their prefix.
 */
import { UsageError } from '../lib/errors.ts';
import { option } from './option.ts';
import { keyPrefix } from './values.ts';

export const recordPrefix = option({
  placeholder: 'PREFIX',
  help: 'below it lie the records of watchdogs and balancers: what each is and what it sees',
  default: '/rollcall',
  parse: keyPrefix,
});

/**
 * @param given the option that says where the backends are, as it was given.
 * @throws UsageError with a prefix that would do.
 */
export function refuseAmongRecords(records: string, prefix: string, given: string): void {
  if (!`${prefix}/`.startsWith(`${records}/`) && !`${records}/`.startsWith(`${prefix}/`)) return;
  throw new UsageError(
    `--record-prefix ${records} cannot go with ${given}: give a prefix that is neither ` +
      `${prefix} nor above or below it, such as ${`${prefix}/`.startsWith('/rollcall/') ? '/rollcall-records' : '/rollcall'}`,
  );
}
