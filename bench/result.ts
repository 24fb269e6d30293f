/** Results as Markdown tables: printed, and with --write kept in README.md between their markers. */
import { readFile, writeFile } from 'node:fs/promises';
import { replaceMarked } from '../scripts/docs/marked.ts';

const readme = new URL('README.md', import.meta.url);

export function tableOf(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [header, header.map((_name, n) => (n === 0 ? '---' : '---:')), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

/** @param name of the markers. @param under what the numbers were taken on, said below them. */
export async function tell(name: string, table: string, under: string, write: boolean) {
  const content = `${table}\n\n${under}`;
  process.stdout.write(`\n${content}\n`);
  if (write) await writeFile(readme, replaceMarked(await readFile(readme, 'utf8'), name, content));
}

/** By the nearest rank: a value that was measured, never one between two. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export const median = (values: readonly number[]) => percentile(values, 0.5);

export const ratio = (value: number, base: number) => `${(value / base).toFixed(2)} ×`;
