/**
 * Keys of backends that nginx is not given are named in the acknowledgement: who waits for one of them
 * to be served is told that it is not.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { watchAcknowledgements } from '../support/acknowledgement-watch.ts';
import { startServedSite } from '../support/served-site.ts';

/** nginx refuses a max_fails that is no number. */
const template = `error_log {{ error_log }};
pid {{ pid }};
events {}
http {
  access_log off;
{% include 'confirm' %}
  upstream own {
    server 127.0.0.1:1;
{%- for backend in backends %}
    server {{ backend.address }} max_fails={{ backend.meta.fails | default: '1' }};
{%- endfor %}
  }
  server {
    listen {{ listen }};
    return 204;
  }
}
`;

test('a quarantined key and a second key of one address are named, what is no backend is not', async () => {
  await using world = await startServedSite({
    backends: { good: '127.0.0.1:1001' },
    flags: async (site) => {
      const own = join(site.home.path, 'own.liquid');
      await writeFile(own, template);
      return { template: own };
    },
  });
  const { keys, recordPrefix } = world;
  const from = Number((await keys.read('good'))?.mod_revision);
  await using watch = await watchAcknowledgements(inject('etcdUrl'), recordPrefix, from);
  const omits = (expected: readonly string[]) =>
    waitUntil({ expected: `${expected.join()} omitted`, withinMs: 8000 }, () => {
      const said = watch.last(keys.prefix);
      return said?.omits.join() === expected.join() || JSON.stringify(said);
    });
  await omits([]);
  await keys.put('nonsense', 'no address');
  await keys.put('twice', '127.0.0.1:1001');
  await omits(['twice']);
  await keys.put('bad', JSON.stringify({ address: '127.0.0.1:1003', meta: { fails: 'x' } }));
  await omits(['bad', 'twice']);
  const at = Number((await keys.read('bad'))?.mod_revision);
  expect(watch.last(keys.prefix)?.revision).toBe(at);
  // From when the key is known of on, no word of it leaves it out.
  const since = watch.changes.filter(({ said }) => (said?.revision ?? 0) >= at);
  expect(since.every(({ said }) => said?.omits.includes('bad'))).toBe(true);
  await keys.put('bad', '127.0.0.1:1003');
  await keys.remove('twice');
  await omits([]);
});
