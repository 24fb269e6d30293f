import { expect, test } from 'vitest';
import { nginxControl } from '../../../src/balancer/nginx/nginx.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { deadUrl, httpServer } from '../../support/local-server.ts';
import { never } from '../../support/virtual-clock.ts';

const control = (confirmUrl: string, nginxBin = 'nginx') =>
  nginxControl(
    {
      nginxBin,
      nginxPid: '/run/nginx.pid',
      reload: { kind: 'exec', command: ['true'] },
      confirmUrl,
    },
    systemClock,
  );

/** What the balancer takes from a server that answers so. */
async function answerTo(status: number, body: string) {
  await using server = await httpServer((_request, response) => {
    response.writeHead(status).end(body);
  });
  return await control(server.url).answer(never);
}

test('nginx serves the generation that it answers with', async () => {
  const answer = await answerTo(200, '{"generation":"0123456789ab","worker":7}\n');
  expect(answer).toEqual({ kind: 'serves', generation: '0123456789ab', worker: 7 });
});

test.each([
  [200, '<html>Welcome to nginx!</html>'],
  [200, '{"generation":"0123456789"}'],
  [200, '{"generation":"0123456789abcdef"}'],
  [500, '{"generation":"0123456789ab"}'],
  [404, ''],
])('status %i and %j are no generation', async (status, body) => {
  expect(await answerTo(status, body)).toMatchObject({
    kind: 'silent',
    reason: expect.stringContaining(`answers ${status}, not with a generation`),
  });
});

test('where nothing listens, the reason says what that means', async () => {
  expect(await control(await deadUrl()).answer(never)).toMatchObject({
    kind: 'silent',
    reason: expect.stringContaining('nginx is not running'),
  });
});

test('the check runs the given program, and its status decides', async () => {
  const accepting = control('http://127.0.0.1/', 'true');
  expect(await accepting.check('/staged', never)).toEqual({ kind: 'accepted' });
  const refusing = control('http://127.0.0.1/', 'false');
  expect(await refusing.check('/staged', never)).toEqual({
    ...{ kind: 'refused', reason: 'nginx refuses the file: exit status 1' },
  });
  const none = control('http://127.0.0.1/', '/no/such/nginx');
  expect(await none.check('/staged', never)).toMatchObject({ kind: 'not checked' });
});

test('a reload goes the way that was chosen', async () => {
  expect(await control('http://127.0.0.1/').reload(never)).toBeUndefined();
});
