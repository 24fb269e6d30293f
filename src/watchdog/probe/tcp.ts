/** A TCP probe: a connection that is accepted is a pass. What the server says on it is not read. */
import type { LookupFunction } from 'node:net';
import { Connection } from './connection.ts';
import type { TcpTarget } from './target.ts';
import type { Attempt, Verdict } from './verdict.ts';

/** A greeting is let go by; who says more than this on an idle connection is not listened to. */
const mostUnaskedBytes = 64 * 1024;

export function connectOnce({ host, port, keepIdle }: TcpTarget, lookup: LookupFunction): Attempt {
  const connection = new Connection({ host, port, lookup });
  const verdict = new Promise<Verdict>((resolve, reject) => {
    connection.whenOpen((error) => (error ? reject(error) : resolve({ passed: true })));
  });
  return {
    get phase() {
      // There is nothing after it here.
      return connection.phase === 'lookup' ? 'lookup' : 'connect';
    },
    verdict,
    release: () => {
      const { socket } = connection;
      if (!keepIdle) {
        connection.close();
        return undefined;
      }
      // Only what is read to its end tells of its end.
      socket.on('data', () => {
        if (socket.bytesRead > mostUnaskedBytes) connection.close();
      });
      return connection;
    },
    close: () => connection.close(),
  };
}
