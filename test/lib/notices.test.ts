import { expect, test } from 'vitest';
import { Notices } from '../../src/lib/log.ts';
import { recordedLog } from '../support/recorded-log.ts';

test('a thing is said once at its level; its repeats go to debug', () => {
  const { log, lines } = recordedLog();
  const notices = new Notices(log);
  for (let turn = 1; turn <= 3; turn += 1) notices.tell('etcd', 'warn', 'etcd is away');
  expect(lines).toEqual(['warn etcd is away', 'debug etcd is away', 'debug etcd is away']);
});

test('another text is news, and topics do not hide one another', () => {
  const { log, lines } = recordedLog();
  const notices = new Notices(log);
  notices.tell('a', 'warn', 'empty');
  notices.tell('b', 'warn', 'empty');
  notices.tell('a', 'warn', 'a name');
  notices.tell('a', 'warn', 'empty');
  expect(lines).toEqual(['warn empty', 'warn empty', 'warn a name', 'warn empty']);
});

test('the end of a topic is said if there was one, and what comes back is news', () => {
  const { log, lines } = recordedLog();
  const notices = new Notices(log);
  notices.clear('etcd', 'etcd answers again');
  notices.tell('etcd', 'warn', 'etcd is away');
  notices.clear('etcd', 'etcd answers again');
  notices.clear('etcd', 'etcd answers again');
  notices.tell('etcd', 'warn', 'etcd is away');
  expect(lines).toEqual(['warn etcd is away', 'info etcd answers again', 'warn etcd is away']);
});

test('fields go with the line', () => {
  const { log, fields } = recordedLog();
  new Notices(log).tell('key', 'info', 'key written', { because: 'absent' });
  expect(fields()).toEqual({ because: 'absent' });
});
