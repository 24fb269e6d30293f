import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Acknowledgement,
  acknowledgementKey,
  formatAcknowledgement,
  parseAcknowledgement,
  speakerOf,
} from '../../src/registry/acknowledgement.ts';

const said: Acknowledgement = {
  ...{ instance: 'one', host: 'lb1', pid: 7, version: '0.1.0', admin: '127.0.0.1:9100' },
  ...{ service: 'web', cluster: '14841639068965178418', revision: 42 },
  ...{ generation: '0a1b2c3d4e5f', olderLive: false, omits: ['apache-8001'], omitsMore: false },
};

test('it lies outside of what confd reads, one key an instance', () => {
  expect(acknowledgementKey('/rollcall', '/test', 'one')).toBe('/rollcall/balancers/test/one');
});

test('what is written is read back, and equal ones are one text', () => {
  const text = formatAcknowledgement(said);
  expect(parseAcknowledgement(text)).toEqual({ ok: true, value: said });
  expect(formatAcknowledgement({ ...said })).toBe(text);
  const nothing = { ...said, admin: null, revision: 0, generation: null, olderLive: null };
  expect(parseAcknowledgement(formatAcknowledgement(nothing))).toEqual({
    ok: true,
    value: nothing,
  });
});

test('fields that are not known are ignored, so that a later version may add one', () => {
  const text = JSON.stringify({ ...said, since: 'later' });
  expect(parseAcknowledgement(text)).toEqual({ ok: true, value: said });
});

test.each([
  ['{', 'it is not JSON'],
  ['[]', 'it is not a JSON object'],
  [{ ...said, instance: 1 }, 'its "instance" is no text'],
  [{ ...said, cluster: undefined }, 'its "cluster" is no text'],
  [{ ...said, pid: 0 }, 'its "pid" is no process id'],
  [{ ...said, revision: -1 }, 'its "revision" is no revision'],
  [{ ...said, revision: 1.5 }, 'its "revision" is no revision'],
  [{ ...said, revision: '42' }, 'its "revision" is no revision'],
  [{ ...said, generation: 'newest' }, 'its "generation" is no generation'],
  [{ ...said, olderLive: 'no' }, 'its "olderLive" is neither true, false nor null'],
])('refused: %j', (value, reason) => {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  expect(parseAcknowledgement(text)).toEqual({ ok: false, reason });
});

test('whatever is read, it is a value or a reason, and can be shown on one line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (name) => {
      const parsed = parseAcknowledgement(JSON.stringify({ ...said, host: name }));
      expect(parsed.ok && parsed.value.host).toSatisfy(
        (host: string) => host.length <= 128 && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(host),
      );
      expect(() => parseAcknowledgement(name)).not.toThrow();
    }),
  );
});

test('at its longest it fits into what is kept of a value', () => {
  for (const char of ['𝄞', '"', '\\', 'x']) {
    const long = char.repeat(999);
    const text = formatAcknowledgement({
      ...{ ...said, instance: long, host: long, version: long, admin: long, service: long },
      ...{ cluster: long, pid: 4_194_304, revision: Number.MAX_SAFE_INTEGER },
      omits: Array.from({ length: 200 }, (_, n) => `${n}-`.repeat(12)),
    });
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4096);
    expect(parseAcknowledgement(text)).toMatchObject({ ok: true, value: { omitsMore: true } });
  }
});

test.each([
  [said, 'lb1 (pid 7)'],
  [{ format: 9, host: 'lb1', pid: 7 }, 'lb1 (pid 7)'],
  [{ host: 'l\u001bb1', pid: 7 }, 'l\ufffdb1 (pid 7)'],
  [{ host: '', pid: 7 }, undefined],
  [{ host: 'lb1', pid: '7' }, undefined],
  [[], undefined],
])('whom %j is from', (value, who) => {
  expect(speakerOf(JSON.stringify(value))).toBe(who);
});
