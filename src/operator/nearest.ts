/** Which of the keys that are there was meant? Pure. */

/** The nearest first; of those as near as each other, in the order of their names. */
export function nearestTo(
  meant: string,
  there: readonly string[],
  most: number,
): readonly string[] {
  return there
    .map((key) => ({ key, distance: distanceOf(meant, key) }))
    .toSorted((a, b) => a.distance - b.distance || (a.key < b.key ? -1 : 1))
    .slice(0, most)
    .map(({ key }) => key);
}

/** Characters to put in, leave out or replace to come from one to the other. */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, n) => n);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
