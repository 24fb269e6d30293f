/** What is wrong with the file of the last good pool, or with its place, is in nobody's way. */
import { mkdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { putKey } from '../../scripts/demo/evidence.ts';
import { startEtcd } from '../../scripts/parts/etcd.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { has, keptPool, prefix, unwritable } from '../support/kept-pool.ts';
import { untilConfirmed } from '../support/nginx-site.ts';

const unusable: Readonly<Record<string, readonly [make: (path: string) => unknown, why: string]>> =
  {
    'half of it': [
      async (path) => writeFile(path, (await readFile(path, 'utf8')).slice(0, -20)),
      'it is not JSON',
    ],
    'one of a later version': [
      async (path) => {
        const text = await readFile(path, 'utf8');
        await writeFile(path, text.replace('"rollcall":1', '"rollcall":2'));
      },
      'it is not of version 1, but of 2',
    ],
    'one with a directive for an address': [
      async (path) => {
        const text = await readFile(path, 'utf8');
        await writeFile(path, text.replace(/127\.0\.0\.1:\d+/, '127.0.0.1:80; include x'));
      },
      'value: ',
    ],
    'one that no memory would hold': [
      (path) => truncate(path, 64 * 1024 * 1024 + 1),
      'at most 67108864',
    ],
    'one that cannot be read': [
      async (path) => {
        await rm(path);
        // Root may read whatever there is.
        await symlink(path, path);
      },
      'ELOOP',
    ],
    'a directory': [
      async (path) => {
        await rm(path);
        await mkdir(path);
      },
      'it is no file',
    ],
  };

test.concurrent('a file that is of no use is told once, and etcd is listened to all the same', async () => {
  await using etcd = await startEtcd();
  await using world = await keptPool(etcd);
  const { balancer, statePath, told, startAgain } = world;
  for (const [title, [make, why]] of Object.entries(unusable)) {
    await balancer.stop();
    await make(statePath);
    await startAgain();
    await untilConfirmed(balancer, `both, after ${title}`, has('in pool', 2));
    const lines = told('the pool that was kept on disk cannot be used: ');
    expect({ title, lines }).toEqual({
      title,
      lines: [expect.objectContaining({ level: 'warn', msg: expect.stringContaining(why) })],
    });
    if (title === 'a directory') continue;
    // It is replaced by one that is of use.
    await waitUntil({ expected: `a new one, after ${title}`, withinMs: 2000 }, async () => {
      const text = await readFile(statePath, 'utf8').catch(String);
      return text.startsWith('{"rollcall":1,') && text.endsWith('}\n') ? true : text.slice(0, 99);
    });
  }
  await waitUntil({ expected: 'that told', withinMs: 2000 }, () => {
    return told('the pool could not be kept on disk').length === 1 || 'nothing';
  });
});

test.concurrent('where the pool cannot be kept it is served all the same, and that is told once', async () => {
  await using etcd = await startEtcd();
  await using world = await keptPool(etcd, { state: unwritable });
  const { balancer, told } = world;
  for (const n of [3, 4]) {
    await putKey(etcd.url, `${prefix}/more-${n}`, `127.0.0.1:${n}`);
    await untilConfirmed(balancer, `${n} in the pool`, has('in pool', n));
  }
  await waitUntil({ expected: 'that told', withinMs: 2000 }, () => {
    return told('the pool could not be kept on disk').length > 0 || 'nothing';
  });
  expect(told('the pool could not be kept on disk').map(({ level }) => level)).toEqual(['warn']);
});
