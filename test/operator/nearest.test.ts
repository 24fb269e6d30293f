import { expect, test } from 'vitest';
import { nearestTo } from '../../src/operator/nearest.ts';

test('the nearest first, as many as asked for', () => {
  const there = ['/test/nginx', '/test/apache-8012', '/test/apache-8001', '/test/apache-801'];
  expect(nearestTo('/test/apache-8011', there, 3)).toEqual([
    ...['/test/apache-8001', '/test/apache-801', '/test/apache-8012'],
  ]);
  expect(nearestTo('/test/a', [], 3)).toEqual([]);
});
