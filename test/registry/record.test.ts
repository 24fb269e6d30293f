import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  formatRecord,
  parseRecord,
  recordKey,
  verdictOn,
  type Verdict,
  type WatchdogState,
  watchdogStates,
} from '../../src/registry/record.ts';
import { recordOf, storedKey } from '../support/builders.ts';

const record = recordOf({ admin: '127.0.0.1:9101', state: 'down', reason: 'connection refused' });

test('the record of a key lies below its own prefix', () => {
  expect(recordKey('/rollcall', '/test/apache-8001')).toBe('/rollcall/watchdogs/test/apache-8001');
});

test('what is written is one line, in a fixed order, and is read back', () => {
  expect(formatRecord(record)).toBe(
    '{"format":1,"instance":"one","host":"web1","pid":42,"version":"0.0.0","admin":"127.0.0.1:9101",' +
      '"address":"127.0.0.1:8001","probe":"http://127.0.0.1:8001/","state":"down",' +
      '"since":"2026-01-01T00:00:00.000Z","reason":"connection refused","drain":null}',
  );
  expect(parseRecord(formatRecord(record))).toEqual({ ok: true, value: record });
});

test('fields that are not known are ignored', () => {
  const newer = { ...record, mood: { good: [true] } };
  expect(parseRecord(JSON.stringify(newer))).toEqual({ ok: true, value: record });
});

const without = (name: keyof typeof record) =>
  Object.fromEntries(Object.entries(record).filter(([one]) => one !== name));

test.each<readonly [wrong: object, reason: string]>([
  [without('instance'), '"instance" is no text'],
  [without('admin'), '"admin" is no text'],
  [without('reason'), '"reason" is no text'],
  [{ ...record, host: 7 }, '"host" is no text'],
  [{ ...record, pid: '42' }, '"pid" is no process id'],
  [{ ...record, pid: 0 }, '"pid" is no process id'],
  [{ ...record, pid: 1.5 }, '"pid" is no process id'],
  [{ ...record, address: 'localhost:80' }, '"address": it is a name'],
  [{ ...record, state: 'Down' }, '"state" is none of'],
  [{ ...record, state: ['down'] }, '"state" is none of'],
  [{ ...record, since: 'yesterday' }, '"since" is no time'],
  [{ ...record, since: '2026-13-01T00:00:00.000Z' }, '"since" is no time'],
  [{ ...record, since: '2026-01-01T00:00:00.000+01:00' }, '"since" is no time'],
  [{ __proto__: record }, 'is no'],
  [[record], 'not a JSON object'],
])('%j is no record: %s', (wrong, reason) => {
  const parsed = parseRecord(JSON.stringify(wrong));
  expect(parsed).toEqual({ ok: false, reason: expect.stringContaining(reason) });
});

test.each(['', 'down', 'null', '{"state":"down"', `${formatRecord(record)}x`])(
  '%j is no record',
  (text) => {
    expect(parseRecord(text)).toMatchObject({ ok: false });
  },
);

test('a name that stands twice makes it unreadable: another reader might see the other', () => {
  const twice = formatRecord(record).replace('"state":"down"', '"state":"up","state":"down"');
  expect(parseRecord(twice)).toEqual({ ok: false, reason: 'a name stands in it twice' });
});

test('whatever stands in it, it can be shown in a terminal', () => {
  const rough = { ...record, host: 'web\u001b[2J1', reason: 'a\r\nb\u202egpj\u0000\u2028\ud800.' };
  const shown = {
    ...record,
    host: 'web\ufffd[2J1',
    reason: 'a\ufffd\ufffdb\ufffdgpj\ufffd\ufffd\ufffd.',
  };
  expect(parseRecord(JSON.stringify(rough))).toEqual({ ok: true, value: shown });
  expect(parseRecord(formatRecord(rough))).toEqual({ ok: true, value: shown });
});

test('a reason of any length is cut between characters', () => {
  const { reason, ...rest } = recordOf({ reason: '𝄞'.repeat(5000) });
  const parsed = parseRecord(formatRecord({ ...rest, reason }));
  expect(parsed).toEqual({ ok: true, value: { ...rest, reason: '𝄞'.repeat(200) } });
});

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.constantFrom('"'.repeat(999), '𝄞'.repeat(999), '\\'.repeat(999), '\u0007'.repeat(999)),
);
const anyTime = fc
  .date({ min: new Date('2000-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString());
const anyRecord = fc.record({
  ...{ instance: anyText, host: anyText, version: anyText, probe: anyText },
  ...{ admin: fc.option(anyText), reason: fc.option(anyText) },
  pid: fc.integer({ min: 1, max: 4_194_304 }),
  address: fc.constantFrom('127.0.0.1:8001', '[2001:db8::1]:65535'),
  state: fc.constantFrom(...watchdogStates),
  since: anyTime,
  drain: fc.option(fc.record({ by: anyText, since: anyTime })),
});

test('any record is read back as it is shown, and fits into what is kept of a value', () => {
  fc.assert(
    fc.property(anyRecord, (one) => {
      const text = formatRecord(one);
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4096);
      expect(text).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
      const parsed = parseRecord(text);
      expect(parsed).toMatchObject({ ok: true, value: { state: one.state, since: one.since } });
      if (parsed.ok) expect(formatRecord(parsed.value)).toBe(text);
    }),
  );
});

test('no text at all makes the reader throw', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
      expect(parseRecord(text).ok).toBe(false);
    }),
  );
});

const key = storedKey('/test/a', '127.0.0.1:8001');
const recordWith = (value: string, leaseId = '7') =>
  storedKey(recordKey('/rollcall', '/test/a'), value, { leaseId });

const concluded: Record<WatchdogState, Verdict> = {
  ...{ starting: 'unknown', up: 'unknown', failing: 'unknown' },
  ...{ down: 'proven down', rising: 'proven down' },
};

test.each(watchdogStates)('without a key, %s is what the record proves', (state) => {
  const beside = recordWith(formatRecord({ ...record, state }));
  expect(verdictOn(undefined, beside)).toBe(concluded[state]);
  expect(verdictOn(key, beside)).toBe('registered');
});

test('nothing, or nothing that can be read, or nothing that a lease keeps, proves nothing', () => {
  expect(verdictOn(undefined, undefined)).toBe('unknown');
  expect(verdictOn(undefined, recordWith('down'))).toBe('unknown');
  expect(verdictOn(undefined, recordWith(formatRecord(record)))).toBe('proven down');
  expect(verdictOn(undefined, recordWith(formatRecord(record), '0'))).toBe('unknown');
  expect(verdictOn(key, undefined)).toBe('registered');
});

test.each(['down', 'rising', 'drained'])(
  'a record of a greater format proves nothing, though it says "%s" as we would',
  (what) => {
    const drain = { by: 'operator', since: record.since };
    const said = what === 'drained' ? { ...record, drain } : { ...record, state: what };
    const of = (format: number) => recordWith(JSON.stringify({ ...said, format }));
    expect(verdictOn(undefined, of(1))).toBe(what === 'drained' ? what : 'proven down');
    expect(verdictOn(undefined, of(2))).toBe('unknown');
    // That the key is there is no word of the record.
    expect(verdictOn(key, of(2))).toBe('registered');
  },
);
