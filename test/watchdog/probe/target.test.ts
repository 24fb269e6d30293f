import { expect, test } from 'vitest';
import { shownUrl } from '../../../src/watchdog/probe/target.ts';

test.each([
  ['http://127.0.0.1:8001/', 'http://127.0.0.1:8001/'],
  ['http://127.0.0.1:8001/health?token=a#b', 'http://127.0.0.1:8001/health?...'],
  ['https://[::1]:8443/a#b?c', 'https://[::1]:8443/a'],
  ['tcp://127.0.0.1:8001', 'tcp://127.0.0.1:8001'],
  ['http://who:secret@web1/a@b', 'http://web1/a@b'],
  ['//who:sec@ret@web1/?a@b', '//web1/?...'],
  ['/login?next=http://who:secret@web1/', '/login?...'],
  ['?a\nb', '?...'],
])('%j is shown as %j', (url, shown) => {
  expect(shownUrl(url)).toBe(shown);
});
