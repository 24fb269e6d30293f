/**
 * /-/ready of a watchdog: 200 when the key is held and the nginx of every live balancer serves it,
 * and until then the reason, with who is waited for.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import {
  type Front,
  readiness,
  startDrainedSite,
  untilReady,
  untilTold,
  type Watchdog,
} from '../support/drained-site.ts';

const notProven = 'its nginx is not proven to serve anything yet';
const notYet = '503 the key is held, and not in rotation yet';

const untilSaid = (watchdog: Watchdog, expected: string | RegExp) =>
  waitUntil({ expected: `${expected}`, withinMs: 10_000 }, async () => {
    const said = await readiness(watchdog);
    return (typeof expected === 'string' ? said === expected : expected.test(said)) || said;
  });

const literally = (text: string) => text.replaceAll(/[()]/g, '\\$&');

test('no balancer is known: ready once the key is held', async () => {
  await using site = await startDrainedSite();
  const { watchdog } = await site.addMember('one');
  const { registered, inRotation, servedBy } = await watchdog.status();
  expect([registered, inRotation, servedBy]).toEqual([true, true, []]);
});

test('503 with the balancer that is missing, until its nginx really serves the backend; then 200', async () => {
  await using site = await startDrainedSite();
  const fronts = [await site.addFront(), await site.addFront()] as const;
  await site.addMember('stays');
  await fronts[1].balancer.freeze();
  const backend = await site.addBackend('comes');
  const watchdog = await site.watch(backend);
  await using client = site.askAllAlong(...fronts);
  await untilSaid(
    watchdog,
    new RegExp(
      `^${notYet}; ${literally(fronts[1].who)}: its nginx serves revision \\d+, and \\d+ is needed$`,
    ),
  );
  const told = await untilTold(watchdog, 'waiting to be in rotation');
  expect(told.msg).toContain(fronts[1].who);
  await client.ask(20);
  const by = ({ site: { url } }: Front) =>
    client.reachedSince(backend, 0).filter((one) => one.endsWith(url)).length;
  expect([by(fronts[0]) > 0, by(fronts[1])]).toEqual([true, 0]);
  expect((await watchdog.status()).inRotation).toBe(false);

  fronts[1].balancer.resume();
  await untilReady(watchdog);
  const readyMs = performance.now();
  const { servedBy, inRotation } = await watchdog.status();
  expect([...servedBy].toSorted()).toEqual(fronts.map(({ who }) => who).toSorted());
  expect(inRotation).toBe(true);
  await untilTold(watchdog, 'in rotation');
  // The very next ones that each nginx hands round reach it.
  await client.ask(6);
  for (const front of fronts) {
    const since = client.reachedSince(backend, readyMs);
    expect(since.filter((one) => one.endsWith(front.site.url)).length).toBeGreaterThan(0);
  }
}, 60_000);

test('a balancer that restarts later, or joins unproven, takes nobody out of rotation', async () => {
  await using site = await startDrainedSite();
  const front = await site.addFront();
  const { watchdog } = await site.addMember('one');
  await front.balancer.kill();
  await front.balancer.start();
  expect(await readiness(watchdog)).toMatch(/^200 /);
  const joins = await site.addBalancer();
  // Longer than one who waits goes without looking.
  await sleep(1500);
  expect(await readiness(watchdog)).toMatch(/^200 /);
  // It is one who starts now that waits for it.
  const second = await site.watch(await site.addBackend('two'));
  await untilSaid(second, new RegExp(`^${notYet}; .*${literally(joins.who)}: ${notProven}`));
  expect(await readiness(watchdog)).toMatch(/^200 /);
});

test('set aside as a second key of one address: held, and never in rotation', async () => {
  await using site = await startDrainedSite();
  const front = await site.addFront();
  const { backend } = await site.addMember('a');
  const second = await site.watch({ ...backend, name: 'b' });
  await untilSaid(second, `${notYet}; ${front.who}: it has the key set aside or quarantined`);
  const { registered, inRotation } = await second.status();
  expect([registered, inRotation]).toEqual([true, false]);
});

/** nginx refuses a max_fails that is no number. */
const template = `error_log {{ error_log }};
pid {{ pid }};
events {}
http {
  include conf.d/*.conf;
  access_log off;
{% include 'confirm' %}
{%- if backends.size > 0 %}
  upstream own {
{%- for backend in backends %}
    server {{ backend.address }} max_fails={{ backend.meta.fails | default: '1' }};
{%- endfor %}
  }
{%- endif %}
  server {
    listen {{ listen }};
    return 204;
  }
}
`;

test('quarantined: held, and not in rotation; another one is', async () => {
  await using site = await startDrainedSite();
  const scratch = await site.addBalancer();
  await scratch.balancer.stop();
  const own = join(scratch.site.home.path, 'own.liquid');
  await writeFile(own, template);
  const front = await site.addFront({ template: own });
  await site.addMember('well');
  const backend = await site.addBackend('bad');
  const bad = await site.watch(backend, { meta: 'fails=x' });
  await untilSaid(bad, `${notYet}; ${front.who}: it has the key set aside or quarantined`);
  await site.addMember('also-well');
  expect((await bad.status()).inRotation).toBe(false);
});
