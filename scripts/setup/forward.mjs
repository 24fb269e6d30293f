/**
 * Inside a container: passes connections that come from outside on to a port of the loopback, where
 * the demo serves.
 */
import { connect, createServer } from 'node:net';

/**
 * @param {number} from on every address
 * @param {number} to on 127.0.0.1
 */
export function forward(from, to) {
  const server = createServer((outside) => {
    const inside = connect(to, '127.0.0.1');
    outside.pipe(inside).pipe(outside);
    outside.on('error', () => inside.destroy());
    inside.on('error', () => outside.destroy());
  });
  server.listen(from).unref();
}
