import { once } from 'node:events';
import { connect } from 'node:net';
import { Gauge, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { type AdminSources, startAdminServer } from '../../src/admin/server.ts';

const well = () => undefined;

function sources(rest: Partial<AdminSources> = {}): AdminSources {
  const metrics = new Registry();
  new Gauge({ name: 'rollcall_up', help: 'Up.', registers: [metrics] }).set(1);
  return { metrics, status: () => ({ state: 'up' }), unready: well, ...rest };
}

async function started(rest?: Partial<AdminSources>) {
  const server = await startAdminServer({ host: '127.0.0.1', port: 0 }, sources(rest));
  const ask = async (path: string, init: RequestInit = {}) => {
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, init);
    return { status: answer.status, headers: answer.headers, body: await answer.text() };
  };
  return { server, ask };
}

test('the four paths while all is well', async () => {
  const { server, ask } = await started();
  await using _ = server;
  const metrics = await ask('/metrics');
  expect(metrics.headers.get('content-type')).toContain('text/plain; version=0.0.4');
  expect(metrics.body).toContain('rollcall_up 1');
  const status = await ask('/status?pretty');
  expect(status.headers.get('content-type')).toBe('application/json');
  expect(JSON.parse(status.body)).toEqual({ state: 'up' });
  expect(await ask('/-/healthy')).toMatchObject({ status: 200, body: 'ok\n' });
  expect(await ask('/-/ready')).toMatchObject({ status: 200, body: 'ok\n' });
});

test('unwell is 503 with the reason, each for itself', async () => {
  const { server, ask } = await started({ unready: () => 'etcd has not answered yet' });
  await using _ = server;
  expect(await ask('/-/ready')).toMatchObject({ status: 503, body: 'etcd has not answered yet\n' });
  expect((await ask('/-/healthy')).status).toBe(200);
});

test('it only tells: whatever is no GET is refused', async () => {
  const { server, ask } = await started();
  await using _ = server;
  for (const method of ['POST', 'PUT', 'DELETE']) {
    expect((await ask('/status', { method })).status).toBe(405);
  }
  expect(await ask('/-/ready', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
});

test('any other path names the four', async () => {
  const { server, ask } = await started();
  await using _ = server;
  expect(await ask('/')).toMatchObject({
    status: 404,
    body: 'one of /metrics, /status, /-/healthy, /-/ready\n',
  });
  expect((await ask('/status/../../etc/passwd')).status).toBe(404);
});

test('a source that throws is a 500, and the server goes on', async () => {
  const { server, ask } = await started({
    status: () => {
      throw new Error('no turn yet');
    },
  });
  await using _ = server;
  expect(await ask('/status')).toMatchObject({ status: 500, body: 'no turn yet\n' });
  expect((await ask('/-/ready')).status).toBe(200);
});

test('an address that is taken is a usage error that names it', async () => {
  const { server } = await started();
  await using _ = server;
  const second = startAdminServer({ host: '127.0.0.1', port: server.port }, sources());
  await expect(second).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining(`cannot listen on 127.0.0.1:${server.port}`),
  });
});

test('a client that says half a request and stays does not hold up the end', async () => {
  const { server } = await started();
  const client = connect(server.port, '127.0.0.1').on('error', () => {});
  await once(client, 'connect');
  client.write('GET /status HTTP/1.1\r\nHo');
  const closed = new Promise((resolve) => client.once('close', resolve));
  await server[Symbol.asyncDispose]();
  await closed;
  expect(client.destroyed).toBe(true);
}, 1000);
