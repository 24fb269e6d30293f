import { expect, test } from 'vitest';
import { mirrorsIn } from '../../scripts/container-etcd/mirrors.ts';

const line = (uri: string, suite: string, file = 'InRelease') =>
  `'${uri}/dists/${suite}/${file}' list 0 \n`;

test('the mirror of the installed release, once, and none of what others call so before it', () => {
  const printed = [
    line('https://download.example.org/linux/debian-extra', 'bookworm'),
    line('http://mirror.example.org/debian', 'bookworm'),
    line('http://mirror.example.org/debian', 'bookworm-updates'),
    line('http://mirror.example.org/debian-security', 'bookworm-security'),
    line('http://mirror.example.org/debian', 'bookworm', 'main/binary-amd64/Packages.xz'),
    line('https://packages.example.org/node', 'nodistro'),
    line('http://mirror.example.org/debian', 'stable'),
  ].join('');
  expect(mirrorsIn(printed, 'bookworm')).toEqual([
    'http://mirror.example.org/debian',
    'https://download.example.org/linux/debian-extra',
  ]);
  expect(mirrorsIn(printed, 'sid')).toEqual(['http://mirror.example.org/debian']);
});

test('no mirror is no mirror', () => {
  expect(mirrorsIn('', 'bookworm')).toEqual([]);
});
