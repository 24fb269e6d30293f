/** What a rollcall makes of what another release wrote. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatAcknowledgement, parseAcknowledgement } from '../../src/registry/acknowledgement.ts';
import { formatDrainOrder, readDrainOrder } from '../../src/registry/drain-order.ts';
import { format, readableFormat } from '../../src/registry/format.ts';
import { formatRecord, parseRecord } from '../../src/registry/record.ts';
import { saying } from '../support/acknowledged.ts';
import { recordOf } from '../support/builders.ts';

const order = { by: 'ada@web1', at: '2026-01-01T00:00:00.000Z', reason: 'disk', value: null };

/** Each as it is written, and as it is read. */
const kinds = [
  ['record', formatRecord(recordOf({ state: 'down', reason: 'refused' })), parseRecord],
  ['acknowledgement', formatAcknowledgement(saying('lb1', 20)), parseAcknowledgement],
  ['order', formatDrainOrder(order), readDrainOrder],
] as const;

const objectOf = (text: string): object => JSON.parse(text) as object;

test.each(kinds)('a %s says its format, first of all', (_, text) => {
  expect(text.startsWith(`{"format":${format},`)).toBe(true);
});

test.each(kinds)('a %s from before there were formats is read the same', (_, text, read) => {
  const before = text.replace(/"format":\d+,/, '');
  expect(before).not.toContain('format');
  expect(read(before)).toEqual(read(text));
});

test.each(kinds)('a %s may have any fields besides, whatever they hold', (_, text, read) => {
  const known = Object.keys(objectOf(text));
  const unknown = fc
    .dictionary(fc.string(), fc.jsonValue())
    .filter((fields) => known.every((name) => !Object.hasOwn(fields, name)));
  fc.assert(
    fc.property(unknown, fc.boolean(), (fields, first) => {
      const parts = first ? [fields, objectOf(text)] : [objectOf(text), fields];
      expect(read(JSON.stringify(Object.assign({}, ...parts)))).toEqual(read(text));
    }),
  );
});

test.each(kinds.filter(([kind]) => kind !== 'order'))(
  'of a %s of a greater format nothing is read, whatever it says',
  (_, text, read) => {
    const greater = fc.integer({ min: format + 1, max: Number.MAX_SAFE_INTEGER });
    fc.assert(
      fc.property(greater, fc.boolean(), (of, isWhole) => {
        const fields = { ...(isWhole && objectOf(text)), format: of };
        expect(read(JSON.stringify(fields))).toEqual({
          ok: false,
          reason: `it is of format ${of}, and this rollcall knows ${format}: upgrade this one`,
        });
      }),
    );
  },
);

test('an order of a greater format is an order, and is read', () => {
  const greater = JSON.stringify({ ...order, format: format + 1, until: { any: 'day' } });
  expect(readDrainOrder(greater)).toEqual(order);
});

test.each([0, -1, 1.5, '1', null, true, [1], {}, 1e300])('%j is no format', (wrong) => {
  const no = { ok: false, reason: 'its "format" is no format' };
  expect(readableFormat({ format: wrong })).toEqual(no);
  for (const [kind, text, read] of kinds) {
    const read1 = read(JSON.stringify({ ...objectOf(text), format: wrong }));
    expect(read1).toEqual(kind === 'order' ? order : no);
  }
});
