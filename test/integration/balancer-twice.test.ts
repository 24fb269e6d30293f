/** A second balancer for one nginx.conf is refused, and the first goes on as if nothing had been. */
import { readdir, readFile } from 'node:fs/promises';
import { expect, inject, test } from 'vitest';
import { startBalancer } from '../../scripts/parts/rollcall.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { runCli } from '../support/cli.ts';
import { openKeys } from '../support/keys.ts';
import { makeNginxSite, untilConfirmed } from '../support/nginx-site.ts';

test('started twice: one line that names the first, which goes on; killed, it is in nobody’s way', async () => {
  using keys = await openKeys(inject('etcdUrl'));
  await using site = await makeNginxSite(inject('etcdUrl'), keys.prefix);
  await keys.put('one', '127.0.0.1:1001');
  await using first = await startBalancer(site.flags);
  await site.startNginx();
  await untilConfirmed(first, 'one', ({ backends }) => backends.length === 1);
  const kept = { expected: 'the pool on disk', withinMs: 2000 };
  await waitUntil(kept, async () => {
    const there = await readdir(site.home.path);
    const isDone = !there.some((name) => name.endsWith('-staged'));
    return (isDone && there.includes('.nginx.conf.rollcall-state')) || there.join(' ');
  });
  const names = await readdir(site.home.path);
  const text = await readFile(site.home.conf, 'utf8');
  // Another prefix would be another file.
  const other = ['balancer', ...site.words, '--prefix', `${keys.prefix}-other`];

  for (const more of [[], ['--once']]) {
    const ran = await runCli([...other, ...more]);
    expect(ran).toEqual({
      ...{ status: 2, stdout: '' },
      stderr: expect.stringMatching(
        new RegExp(
          `^rollcall: --nginx-conf ${site.home.conf}: a balancer looks after it already \\(process ${first.pid} on .+\\): stop that one, or give this one a file of its own\\n$`,
        ),
      ),
    });
  }
  // It changes nothing, so it may look.
  expect(await runCli([...other, '--dry-run'])).toMatchObject({ status: 0 });
  expect(await readdir(site.home.path)).toEqual(names);
  expect(await readFile(site.home.conf, 'utf8')).toBe(text);
  await keys.put('two', '127.0.0.1:1002');
  await untilConfirmed(first, 'two', ({ backends }) => backends.length === 2);
  expect(first.log.filter(({ level }) => level === 'error')).toEqual([]);

  await first.kill();
  await using second = await startBalancer(site.flags);
  await untilConfirmed(second, 'two', ({ backends }) => backends.length === 2);
});
