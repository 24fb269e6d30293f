/** HTTPS probes on real certificates, made by openssl. */
import { readFileSync } from 'node:fs';
import { createServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { textMatch } from '../../src/watchdog/probe/body-match.ts';
import type { HttpTarget, TlsTarget } from '../../src/watchdog/probe/target.ts';
import { httpServer } from '../support/local-server.ts';
import { type Certificate, makeTls, type TestTls } from '../support/tls.ts';
import { httpTarget, open, probeOnce } from '../watchdog/probe/probing.ts';

let tls: TestTls;
beforeAll(async () => void (tls = await makeTls()));
afterAll(() => tls[Symbol.asyncDispose]());

const pem = (file: string) => readFileSync(file, 'utf8');
const pair = ({ cert, key }: Certificate) => ({ cert: pem(cert), key: pem(key) });

interface Secured extends AsyncDisposable {
  readonly port: number;
  readonly sockets: ReadonlySet<TLSSocket>;
  /** What the last client asked for in SNI, and the Host that it sent. */
  readonly last: { sni?: string | false | null; host?: string | undefined };
}

async function secured(certificate: Certificate, rest: ServerOptions = {}): Promise<Secured> {
  const last: Secured['last'] = {};
  const sockets = new Set<TLSSocket>();
  const server = createServer({ ...pair(certificate), ...rest }, (request, response) => {
    last.sni = (request.socket as TLSSocket).servername;
    last.host = request.headers.host;
    if (request.url === '/moved') response.writeHead(302, { location: '/' });
    response.end('ready');
  });
  server.on('secureConnection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    ...{ port: (server.address() as AddressInfo).port, sockets, last },
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

const probed = (
  { port }: Secured,
  trust: Partial<TlsTarget> = {},
  rest: Partial<HttpTarget> = {},
  host = '127.0.0.1',
) =>
  probeOnce(
    httpTarget(`https://${host}:${port}/`, {
      tls: { ca: pem(tls.ca.cert), insecure: false, ...trust },
      ...rest,
    }),
  );

test('a certificate of the authority passes, by address and by name', async () => {
  await using server = await secured(tls.server);
  expect(await probed(server)).toMatchObject({ passed: true });
  expect(server.last.sni).toBe(false);
  expect(await probed(server, {}, {}, 'localhost')).toMatchObject({ passed: true });
  expect(server.last.sni).toBe('localhost');
});

test.each([
  ['that has expired', () => tls.expired, 'certificate has expired'],
  ['of another authority', () => tls.foreign, 'unable to verify the first certificate'],
])(
  'a certificate %s fails, and passes only where any will do',
  async (_which, certificate, words) => {
    await using server = await secured(certificate());
    expect(await probed(server)).toMatchObject({
      ...{ passed: false, kind: 'tls', phase: 'tls', reason: expect.stringContaining(words) },
    });
    expect(await probed(server, { insecure: true })).toMatchObject({ passed: true });
  },
);

test('without an authority of ours those that Node brings do not vouch for it', async () => {
  await using server = await secured(tls.server);
  const target = httpTarget(`https://127.0.0.1:${server.port}/`, { tls: { insecure: false } });
  expect(await probeOnce(target)).toMatchObject({ passed: false, kind: 'tls', phase: 'tls' });
});

test('a certificate that is for another name fails; the name to ask for can be given', async () => {
  await using server = await secured(tls.server);
  const host = 'www.example.org:8443';
  expect(await probed(server, {}, { host })).toMatchObject({
    ...{ passed: false, kind: 'tls', phase: 'tls' },
    reason: expect.stringContaining("Host: www.example.org. is not in the cert's altnames"),
  });
  const result = await probed(server, { serverName: 'localhost' }, { host });
  expect(result).toMatchObject({ passed: true });
  expect(server.last).toEqual({ sni: 'localhost', host });
});

test('a server that asks who we are is shown the client certificate', async () => {
  const asks = { requestCert: true, rejectUnauthorized: true, ca: pem(tls.ca.cert) };
  await using server = await secured(tls.server, asks);
  expect(await probed(server, { client: pair(tls.client) })).toMatchObject({ passed: true });
  expect(await probed(server)).toMatchObject({ passed: false });
});

test('a server without TLS is no pass', async () => {
  await using server = await httpServer((_request, response) => response.end());
  expect(await probeOnce(httpTarget(server.url.replace('http:', 'https:')))).toMatchObject({
    ...{ passed: false, kind: 'tls', phase: 'tls', reason: 'wrong version number' },
  });
});

test('a redirect from http to https is followed, the certificate checked', async () => {
  await using server = await secured(tls.server);
  await using plain = await httpServer((_request, response) => {
    response.writeHead(301, { location: `https://127.0.0.1:${server.port}/` }).end();
  });
  const target = httpTarget(plain.url, { redirects: 1, host: 'www.example.org' });
  expect(await probeOnce(target)).toMatchObject({
    ...{ passed: false, kind: 'tls', phase: 'tls' },
  });
  // By --probe-ca, beside an http:// URL; the Host was for the other one.
  const trusting = { ...target, tls: { ca: pem(tls.ca.cert), insecure: false } };
  expect(await probeOnce(trusting)).toMatchObject({ passed: true });
  expect(server.last).toEqual({ sni: false, host: `127.0.0.1:${server.port}` });
});

test('a redirect on the same server keeps the Host, and the name in SNI with it', async () => {
  await using server = await secured(tls.server);
  const target = httpTarget(`https://127.0.0.1:${server.port}/moved`, {
    ...{ redirects: 1, host: 'localhost', body: textMatch('ready') },
    tls: { ca: pem(tls.ca.cert), insecure: false },
  });
  expect(await probeOnce(target)).toMatchObject({ passed: true });
  expect(server.last).toEqual({ sni: 'localhost', host: 'localhost' });
});

test.each(['end', 'destroy'] as const)('the idle connection is told of by %s', async (how) => {
  await using server = await secured(tls.server);
  const rest = { keepIdle: true, tls: { ca: pem(tls.ca.cert), insecure: false } };
  using probing = open(httpTarget(`https://127.0.0.1:${server.port}/`, rest));
  expect(await probing.probe()).toMatchObject({ passed: true });
  expect(server.sockets.size).toBe(1);
  for (const socket of server.sockets) socket[how]();
  await waitUntil({ expected: 'one idle close', withinMs: 5000 }, () => {
    return probing.idleCloses === 1 || 'none';
  });
});

test('each probe is a handshake of its own: a certificate that is exchanged is seen', async () => {
  await using server = await secured(tls.server);
  const target = httpTarget(`https://127.0.0.1:${server.port}/`, {
    tls: { ca: pem(tls.ca.cert), insecure: false },
  });
  using probing = open(target);
  expect(await probing.probe()).toMatchObject({ passed: true });
  const { port } = server;
  await server[Symbol.asyncDispose]();
  const later = createServer(pair(tls.expired), (_request, response) => response.end());
  await new Promise<void>((resolve) => later.listen(port, '127.0.0.1', resolve));
  expect(await probing.probe()).toMatchObject({ reason: 'certificate has expired' });
  later.closeAllConnections();
  await new Promise((resolve) => later.close(resolve));
});
