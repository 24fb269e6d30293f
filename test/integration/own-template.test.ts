/**
 * Templates of an operator's own that give nginx no place to answer with its generation: what it
 * serves is told from its workers, and said so once.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { startApache } from '../../scripts/parts/apache.ts';
import { httpGet } from '../../scripts/parts/http-get.ts';
import { startBalancer } from '../../scripts/parts/rollcall.ts';
import { openKeys } from '../support/keys.ts';
import { makeNginxSite, untilConfirmed } from '../support/nginx-site.ts';

const plain = `error_log {{ error_log }};
pid {{ pid }};
events {}
http {
  include conf.d/*.conf;
  access_log off;
{% for service in services %}{% if service.backends.size > 0 %}{% include 'upstream' %}{% endif %}{% endfor %}
  server {
    listen {{ listen }};
    location / {
{%- include 'proxy', service: services[0] %}
    }
  }
}
`;

test.each([
  ['nowhere', plain],
  // Taken for an answer, it would be waited for in vain.
  ['in a comment', plain.replace('events {}', 'events {} # {"generation":"{{ generation }}"}')],
])('the generation stands %s: changes are confirmed by the workers', async (_where, text) => {
  using keys = await openKeys(inject('etcdUrl'));
  await using site = await makeNginxSite(inject('etcdUrl'), keys.prefix);
  await using apache = await startApache();
  const template = join(site.home.path, 'own.liquid');
  await writeFile(template, text);
  await using balancer = await startBalancer({ ...site.flags, template });
  await site.startNginx();
  await untilConfirmed(balancer, 'nobody, confirmed', ({ backends }) => backends.length === 0);
  expect((await httpGet(site.url, 1000)).status).toBe(503);

  await keys.put('apache', apache.address);
  await untilConfirmed(balancer, 'one, confirmed', ({ backends }) => backends.length === 1);
  expect((await httpGet(site.url, 1000)).body).toContain(apache.name);
  await keys.remove('apache');
  await untilConfirmed(balancer, 'nobody again', ({ backends }) => backends.length === 0);
  expect((await httpGet(site.url, 1000)).status).toBe(503);
  const told = balancer.log.filter(({ msg }) => msg.includes("has no {% include 'confirm' %}"));
  expect(told.map(({ level }) => level)).toEqual(['warn']);
  expect(balancer.log.filter(({ level }) => level === 'error')).toEqual([]);
});
