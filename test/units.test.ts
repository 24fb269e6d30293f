/** What can be said of the deployment's files without starting them. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const shipped = readdirSync('units/docker').filter((name) => name.endsWith('.service'));
const butane = readFileSync('units/docker/flatcar.bu', 'utf8');

test('the machine of the Butane example has every unit for containers, by its name', () => {
  const installed = [...butane.matchAll(/- name: (\S+)\n(?:.*\n)?\s+contents_local: (\S+)/g)];
  expect(installed.map(([, name = '']) => name).toSorted()).toEqual(shipped.toSorted());
  for (const found of installed) expect(found[2]).toBe(found[1]);
});

test('the environment files of the Butane example are those that its units read', () => {
  const files = [...butane.matchAll(/- path: (\S+)/g)].map(([, path = '']) => path);
  const read = shipped.flatMap((name) => {
    const text = readFileSync(`units/docker/${name}`, 'utf8');
    return [...text.matchAll(/^EnvironmentFile=-?(\/etc\/rollcall\/\S+)$/gm)].map(
      ([, path = '']) => path,
    );
  });
  const instances = ['8001', '8002'];
  const wanted = new Set(
    read.flatMap((path) =>
      path.includes('%i') ? instances.map((port) => path.replace('%i', port)) : [path],
    ),
  );
  expect(files.toSorted()).toEqual([...wanted].toSorted());
});

test('no unit pulls an image at its start, restarts by the engine, or runs as root in its container', () => {
  for (const name of shipped) {
    const text = readFileSync(`units/docker/${name}`, 'utf8');
    expect(text).not.toMatch(/^Exec.*docker pull|--restart|--privileged/m);
    expect(text).toContain('--cap-drop ALL');
  }
});
