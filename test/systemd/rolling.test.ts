/**
 * `systemctl restart` of one instance after the other: each apache is stopped only after its watchdog
 * has drained it, and each restart is over only when nginx serves it again. POSTs are asked all along,
 * which nginx tries nowhere else: not one of them fails.
 */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { apacheConf } from '../../scripts/parts/apache-conf.ts';
import { findProgram } from '../../scripts/parts/find-program.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { bootMachine, type Machine } from '../../scripts/systemd/machine.ts';
import { checkoutPath } from '../../scripts/systemd/machine-image.ts';

const ports = [8001, 8002];
const rollcall = `${checkoutPath}/node_modules/.bin/node ${checkoutPath}/dist/cli.js`;
const failures = '/run/client.failures';
const count = '/run/client.count';

const service = (...lines: readonly string[]) => ['[Service]', ...lines, ''].join('\n');

/** One request after the other, each on a connection of its own. */
const client = `
const { request } = require('node:http');
const { appendFileSync, writeFileSync } = require('node:fs');
let asked = 0;
const ask = () => new Promise((done) => {
  const failed = (why) => { appendFileSync('${failures}', why + '\\n'); done(); };
  const sent = request('http://127.0.0.1:8080/', { method: 'POST', agent: false, timeout: 5000 }, (answer) => {
    answer.resume().on('end', () => answer.statusCode === 200 ? done() : failed('status ' + answer.statusCode));
  });
  sent.on('error', (error) => failed(error.message)).on('timeout', () => sent.destroy(new Error('timeout')));
  sent.end('x');
});
// Between two requests, and not in the middle of writing the count.
let stopped = false;
process.on('SIGTERM', () => { stopped = true; });
(async () => { while (!stopped) { await ask(); writeFileSync('${count}', String(asked += 1)); } })();
`;

let machine: Machine;
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  const apache = findProgram('apache2', 'httpd');
  const apaches = ports.flatMap((port) => {
    const home = `/srv/apache-${port}`;
    const conf = apacheConf({ home, address: `127.0.0.1:${port}`, failFlag: `${home}/fail` });
    const env = [
      ...[`ROLLCALL_KEY=/test/apache-${port}`, `ROLLCALL_ADDRESS=127.0.0.1:${port}`],
      ...['ROLLCALL_READY_WHEN=in-rotation', 'ROLLCALL_BALANCERS=1'],
    ];
    return [
      [`${home}/apache.conf`, conf],
      [`${home}/pages/index.html`, 'apache'],
      [`/etc/rollcall/watchdog-${port}.env`, env.join('\n')],
    ];
  });
  machine = stack.use(
    await bootMachine({
      '/etc/sysusers.d/rollcall.conf': await readFile('units/host/rollcall.sysusers', 'utf8'),
      ...Object.fromEntries(apaches),
      '/etc/systemd/system/etcd.service': service(
        `ExecStart=${findProgram('etcd')} --data-dir /run/etcd`,
      ),
      '/etc/systemd/system/apache@.service': service(
        `ExecStart=${apache} -d /srv/apache-%i -f /srv/apache-%i/apache.conf -DFOREGROUND`,
      ),
      '/etc/systemd/system/rollcall-watchdog@.service': await readFile(
        'units/host/rollcall-watchdog@.service',
        'utf8',
      ),
      '/etc/systemd/system/rollcall-watchdog@.service.d/test.conf': [
        ...['[Service]', 'ExecStart=', `ExecStart=${rollcall} watchdog`],
      ].join('\n'),
      '/srv/nginx/conf.d/temporary.conf': ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
        .map((name) => `${name}_temp_path /srv/nginx/${name};\n`)
        .join(''),
      '/etc/systemd/system/balancer.service': service(
        `ExecStart=${rollcall} balancer --prefix /test --listen 127.0.0.1:8080 ` +
          '--nginx-conf /srv/nginx/nginx.conf --nginx-pid /run/nginx.pid ' +
          '--error-log /run/nginx.log --access-log off',
      ),
      '/etc/systemd/system/nginx.service': service(
        `ExecStart=${findProgram('nginx')} -c /srv/nginx/nginx.conf -g "daemon off;"`,
      ),
      '/srv/client.cjs': client,
      '/etc/systemd/system/client.service': service(
        `ExecStart=${checkoutPath}/node_modules/.bin/node /srv/client.cjs`,
      ),
    }),
  );
});
afterAll(() => stack.disposeAsync());

const textOf = (path: string) => machine.run('cat', path).catch(() => '');
const pids = async (name: string) => (await machine.unit(name))['MainPID'];

test('each is restarted in turn, twice, and no request fails', { timeout: 180_000 }, async () => {
  await machine.run('systemd-sysusers');
  await machine.run('systemctl', 'start', 'etcd', 'balancer');
  await waitUntil({ expected: 'a first nginx.conf', withinMs: 10_000 }, async () => {
    return (await textOf('/srv/nginx/nginx.conf')) !== '' || 'none';
  });
  await machine.run('systemctl', 'start', 'nginx');
  for (const port of ports) {
    await machine.run('systemctl', 'start', `apache@${port}`, `rollcall-watchdog@${port}`);
  }
  await machine.run('systemctl', 'start', 'client');
  const asked = async () => Number(await textOf(count));
  await waitUntil(
    { expected: 'requests', withinMs: 10_000 },
    async () => (await asked()) > 50 || 'few',
  );

  for (const port of [...ports, ...ports]) {
    const unit = `rollcall-watchdog@${port}`;
    const before = [await pids(`apache@${port}`), await pids(unit)];
    await machine.run('systemctl', 'restart', `apache@${port}`, unit);
    const after = [await pids(`apache@${port}`), await pids(unit)];
    expect(after.filter((pid) => before.includes(pid))).toEqual([]);
    expect(await machine.unit(unit)).toMatchObject({ ActiveState: 'active', Result: 'success' });
    expect((await machine.unit(unit))['StatusText']).toContain('in rotation');
  }
  await machine.run('systemctl', 'stop', 'client');
  expect(await textOf(failures)).toBe('');
  expect(await asked()).toBeGreaterThan(100);
});

test('the log of a stop tells who confirmed', async () => {
  const unit = 'rollcall-watchdog@8001';
  await machine.run('systemctl', 'stop', unit);
  const log = await machine.run('journalctl', '--no-pager', '--output=cat', '--unit', unit);
  expect(log).toContain('every live balancer has confirmed');
});
