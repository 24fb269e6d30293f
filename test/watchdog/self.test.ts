import { expect, test } from 'vitest';
import { parseRecord } from '../../src/registry/record.ts';
import { afterProbe, begin, type Course, type Rules } from '../../src/watchdog/course.ts';
import { recordsOf, type Self } from '../../src/watchdog/self.ts';

const self: Self = {
  ...{ instance: 'one', host: 'web1', pid: 42, version: '0.1.0', admin: '127.0.0.1:9100' },
  ...{ key: '/test/apache-8001', recordKey: '/rollcall/watchdogs/test/apache-8001' },
  ...{ address: '127.0.0.1:8001', value: '127.0.0.1:8001', probe: 'http://127.0.0.1:8001/' },
};
const rules: Rules = {
  ...{ intervalMs: 1000, fastIntervalMs: 250, timeoutMs: 1000 },
  ...{ rise: 1, fall: 2, startGraceMs: 0 },
};
const at = (nowMs: number) => ({ nowMs, date: new Date(nowMs), random: () => 0 });

test('the record changes with the state, and with no probe that leaves it', () => {
  const record = recordsOf(self);
  const texts = new Set<string>();
  let course: Course = begin(rules, at(0));
  const states: string[] = [];
  for (const [index, passes] of [true, true, true, false, false, false, true].entries()) {
    const timing = { startedAtMs: index * 1000, durationMs: 1 };
    const reason = `the failure of ${index}`;
    course = afterProbe(
      course,
      passes
        ? { passed: true, ...timing }
        : { passed: false, kind: 'refused', phase: 'connect', reason, ...timing },
      rules,
      at(index * 1000 + 1),
    );
    const text = record(course, undefined);
    const parsed = parseRecord(text);
    if (!texts.has(text) && parsed.ok) states.push(`${parsed.value.state} ${parsed.value.reason}`);
    texts.add(text);
  }
  expect(states).toEqual([
    ...['up null', 'failing the failure of 3', 'down the failure of 4', 'up the failure of 4'],
  ]);
});
