/** A file or standard input as text, to its end and no further than anybody can mean. */
import { createReadStream } from 'node:fs';

const maxBytes = 64 * 1024 * 1024;

/** @param path "-": standard input. */
export async function readWhole(path: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const source: AsyncIterable<Buffer> = path === '-' ? process.stdin : createReadStream(path);
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`it has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
