import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { freePort, freePorts } from '../../scripts/parts/ports.ts';

test('no port is given twice', async () => {
  const ports = await Promise.all(Array.from({ length: 50 }, () => freePort()));
  expect(new Set(ports).size).toBe(50);
});

test('the preferred ports where all are free, others for all where one is not', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const taken = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const free = await freePort();
  const other = free === 32_767 ? free - 1 : free + 1;

  const moved = await freePorts(['a', 'b'], { a: taken, b: other });
  expect([moved.a, moved.b]).not.toContain(taken);
  expect([moved.a, moved.b]).not.toContain(other);

  const unnamed = await freePorts(['a', 'b'], { b: other });
  expect([unnamed.a, unnamed.b]).not.toContain(other);

  server.close();
  await once(server, 'close');
  expect(await freePorts(['a', 'b'], { a: taken, b: other })).toEqual({ a: taken, b: other });
});
