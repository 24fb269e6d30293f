import { lookup as dnsLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { expect, test } from 'vitest';
import { sharedLookup } from '../../src/lib/shared-lookup.ts';

type Callback = Parameters<LookupFunction>[2];

/** A DNS that answers when the test says so. */
function slowDns() {
  const questions: { readonly name: string; readonly answer: Callback }[] = [];
  const lookup: LookupFunction = (name, _options, answer) => questions.push({ name, answer });
  return { questions, lookup: sharedLookup(lookup) };
}

test('who asks while an answer is under way gets that answer, and who asks later another', () => {
  const { questions, lookup } = slowDns();
  const answers: unknown[] = [];
  const ask = (name: string) => lookup(name, {}, (_error, address) => answers.push(address));
  for (let n = 0; n < 100; n += 1) ask('web1');
  expect(questions).toHaveLength(1);
  questions[0]?.answer(null, '127.0.0.1', 4);
  expect(answers).toEqual(Array.from({ length: 100 }, () => '127.0.0.1'));

  ask('web1');
  questions[1]?.answer(null, '127.0.0.2', 4);
  expect(answers.at(-1)).toBe('127.0.0.2');
});

test('another name, and another question about the same name, waits for nobody', () => {
  const { questions, lookup } = slowDns();
  for (const options of [{}, { all: true }, { family: 6 }]) {
    lookup('web1', options, () => {});
    lookup('web1', options, () => {});
  }
  lookup('web2', {}, () => {});
  expect(questions.map(({ name }) => name)).toEqual(['web1', 'web1', 'web1', 'web2']);
});

test('an error goes to all who asked, and the next one asks anew', () => {
  const { questions, lookup } = slowDns();
  const errors: unknown[] = [];
  const ask = () => lookup('web1', {}, (error) => errors.push(error?.message));
  ask();
  ask();
  questions[0]?.answer(new Error('EAI_AGAIN'), '', 4);
  expect(errors).toEqual(['EAI_AGAIN', 'EAI_AGAIN']);
  ask();
  expect(questions).toHaveLength(2);
});

test('the system’s own look-up', async () => {
  const answer = await new Promise((resolve) => {
    sharedLookup(dnsLookup)('localhost', { family: 4 }, (...all) => resolve(all));
  });
  expect(answer).toEqual([null, '127.0.0.1', 4]);
});
