import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  accessLog,
  nginxConfirmListen,
  nginxConfirmUrl,
  nginxListen,
  reloadMethod,
} from '../../src/options/nginx-values.ts';
import { BadValue } from '../../src/options/values.ts';

test.each([
  ...['80', '8080', '127.0.0.1', '127.0.0.1:80', '*:80', '*', '[::]:80', '[::1]', 'localhost:80'],
  ...['example.org', 'unix:/run/nginx.sock'],
])('nginx listens on %s', (text) => {
  expect(nginxListen(text)).toBe(text);
});

test.each([
  ...['', '0', '65536', '99999', ':80', '127.0.0.1:0', '127.0.0.1:', '[::', '[x]:80', '::1', '80;'],
  ...['80 default_server', '80\n', '80 ssl', 'unix:', 'unix:run/nginx.sock', 'unix:/a b', '$port'],
])('nginx is not asked to listen on %j', (text) => {
  expect(() => nginxListen(text)).toThrow(BadValue);
});

const isAccepted = (text: string) => {
  try {
    return nginxListen(text) === text;
  } catch {
    return false;
  }
};

test('no text that is accepted can end the directive', () => {
  const pieces = fc.constantFrom(...'80 127.0.0.1 [::1] : * a ; { } # $ " unix:/ / \n'.split(' '));
  const texts = fc.array(pieces, { maxLength: 5 }).map((parts) => parts.join(''));
  let accepted = 0;
  fc.assert(
    fc.property(texts, (text) => {
      if (!isAccepted(text)) return;
      accepted += 1;
      expect(text).not.toMatch(/[\s;{}#$"'\\]/);
    }),
    { numRuns: 2000 },
  );
  expect(accepted).toBeGreaterThan(20);
});

test('the confirmation is never on a unix socket', () => {
  expect(nginxConfirmListen('127.0.0.1:8079')).toBe('127.0.0.1:8079');
  expect(() => nginxConfirmListen('unix:/run/confirm.sock')).toThrow('a TCP address');
});

test('the three ways to reload', () => {
  expect(reloadMethod('signal')).toEqual({ kind: 'signal' });
  expect(reloadMethod('docker:nginx_1.x')).toEqual({ kind: 'docker', container: 'nginx_1.x' });
  expect(reloadMethod('exec:systemctl reload "my nginx"')).toEqual({
    ...{ kind: 'exec', command: ['systemctl', 'reload', 'my nginx'] },
  });
});

test.each([
  ...['', 'SIGHUP', 'signal:', 'docker', 'docker:', 'docker:a/b', 'docker:a b', 'docker:-a'],
  ...['exec:', 'exec', 'exec: '],
])('%j is no way to reload', (text) => {
  expect(() => reloadMethod(text)).toThrow('signal, docker:CONTAINER or exec:COMMAND');
});

test('an access log is a path or off', () => {
  expect(accessLog('off')).toBe('off');
  expect(accessLog('/var/log/nginx/access.log')).toBe('/var/log/nginx/access.log');
  expect(() => accessLog('on')).toThrow(BadValue);
});

test.each([
  'https://127.0.0.1:8079/',
  'http://127.0.0.1:8079/a;b',
  'http://127.0.0.1:8079/a b',
  'http://127.0.0.1:8079/?a',
  'http://127.0.0.1:8079/x{',
  '127.0.0.1:8079',
])('the confirmation cannot be asked at %s', (url) => {
  expect(() => nginxConfirmUrl(url)).toThrow('http://');
});

test('the confirmation is asked at a plain URL, with the path that becomes a location', () => {
  expect(nginxConfirmUrl('http://127.0.0.1:8079/rollcall-1.0')).toBe(
    'http://127.0.0.1:8079/rollcall-1.0',
  );
  expect(nginxConfirmUrl('http://nginx:8079')).toBe('http://nginx:8079/');
});
