/** A server on a free port of 127.0.0.1, or on a unix socket, gone with its connections at the end of its scope. */
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';

export interface LocalServer extends AsyncDisposable {
  /** http://127.0.0.1:PORT/; empty on a unix socket. */
  readonly url: string;
}

type AnyServer = Pick<Server, 'listen' | 'close' | 'address' | 'on'>;

async function listening(server: AnyServer, path?: string): Promise<LocalServer> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => {
    if (path === undefined) server.listen(0, '127.0.0.1', resolve);
    else server.listen(path, resolve);
  });
  const url =
    path === undefined ? `http://127.0.0.1:${(server.address() as AddressInfo).port}/` : '';
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

export const httpServer = (handle: RequestListener, path?: string) =>
  listening(createHttpServer(handle), path);

/** Speaks no HTTP by itself: what a connection says is up to the test. */
export const rawServer = (connected: (socket: Socket) => void) =>
  listening(createServer(connected) as unknown as AnyServer);

/** A URL of 127.0.0.1 where nothing listens: the port of a server that has just gone. */
export async function deadUrl(): Promise<string> {
  await using server = await rawServer(() => {});
  return server.url;
}
