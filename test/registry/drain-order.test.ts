import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type DrainOrder,
  drainOrderKey,
  formatDrainOrder,
  isDrainOrder,
  readDrainOrder,
} from '../../src/registry/drain-order.ts';
import { parseKey } from '../../src/registry/backend.ts';
import { recordKey } from '../../src/registry/record.ts';

const order: DrainOrder = {
  ...{ by: 'ada@web1', at: '2026-01-01T00:00:00.000Z', reason: 'disk', value: null },
};

test('it lies beside the record, where no key of a backend can lie', () => {
  const key = drainOrderKey('/rollcall', '/test/apache-8001');
  expect(key).toBe('/rollcall/watchdogs/test/apache-8001:drain');
  expect(isDrainOrder(key)).toBe(true);
  expect(isDrainOrder(recordKey('/rollcall', '/test/drain'))).toBe(false);
  expect(parseKey('/test/apache-8001:drain').ok).toBe(false);
});

test('what is written is read back, the value that it took away too', () => {
  for (const one of [order, { ...order, reason: null, value: '{"address":"127.0.0.1:8001"}' }]) {
    expect(readDrainOrder(formatDrainOrder(one))).toEqual(one);
  }
});

test.each(['', 'yes', '{', '[]', '{"by":7,"value":{}}', `{"value":"${'x'.repeat(3000)}"}`])(
  'put by hand as %j it is an order all the same',
  (text) => {
    const nobody = { by: 'somebody, by hand', at: null, reason: null, value: null };
    expect(readDrainOrder(text)).toEqual(nobody);
  },
);

test('whatever it says can be shown on one line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const { by, reason } = readDrainOrder(JSON.stringify({ by: text, reason: text }));
      expect(`${by}${reason}`).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    }),
  );
});
