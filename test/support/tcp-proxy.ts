/**
 * A TCP proxy on loopback that can do what networks do: lose everything while connections stay
 * open, hold everything back for a while, and end connections.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpProxy extends AsyncDisposable {
  readonly url: string;
  /** From now on both sides hear nothing of each other; new connections are accepted and silent. */
  cut(): void;
  /** New connections come through again. Those from before have lost something: they stay silent. */
  heal(): void;
  /** What is sent waits, and arrives after `resume`. */
  stall(): void;
  resume(): void;
  /** Ends all connections at once. */
  reset(): void;
}

interface Line {
  readonly ends: readonly [near: Socket, far: Socket];
  lost: boolean;
}

export async function startTcpProxy(targetUrl: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(targetUrl);
  const lines = new Set<Line>();
  let isCut = false;
  let isStalled = false;
  const each = (then: (socket: Socket) => void) => {
    for (const { ends } of lines) ends.forEach(then);
  };
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    const line: Line = { ends: [near, far], lost: isCut };
    lines.add(line);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      if (isStalled) from.pause();
      from.on('data', (chunk) => void (line.lost || to.write(chunk)));
      from
        .on('error', () => {})
        .on('close', () => {
          if (!line.lost) to.destroy();
          if (to.closed) lines.delete(line);
        });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut: () => {
      isCut = true;
      for (const line of lines) line.lost = true;
    },
    heal: () => void (isCut = false),
    stall: () => {
      isStalled = true;
      each((socket) => socket.pause());
    },
    resume: () => {
      isStalled = false;
      each((socket) => socket.resume());
    },
    reset: () => each((socket) => socket.resetAndDestroy()),
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      each((socket) => socket.destroy());
      await closed;
    },
  };
}
