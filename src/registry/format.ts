/**
 * Which format is what another rollcall wrote in etcd? Pure. Two releases meet there whenever one
 * machine is upgraded before another, so records, acknowledgements and orders say their format.
 *
 * A field that a reader may do without changes no format: fields that are not known are ignored. A
 * greater format is for a change after which a reader of this one would take it for what it is not.
 * So nothing is concluded from a greater one but that it is there; what was written before there
 * were formats is of format 1.
 */
import type { Parsed } from './backend.ts';
import type { JsonObject } from './json-object.ts';

/** What this release writes, and the greatest that it reads. */
export const format = 1;

/** Is it one that can be read? Else the reason, in words that follow "it". */
export function readableFormat({ format: said = 1 }: JsonObject): Parsed<number> {
  if (typeof said !== 'number' || !Number.isSafeInteger(said) || said < 1) {
    return { ok: false, reason: 'its "format" is no format' };
  }
  if (said > format) {
    const reason = `it is of format ${said}, and this rollcall knows ${format}: upgrade this one`;
    return { ok: false, reason };
  }
  return { ok: true, value: said };
}
