/** The environment files beside the units: written by docs.ts, held by a test. */
import { balancerOptions } from '../../src/options/balancer-options.ts';
import { watchdogOptions } from '../../src/options/watchdog-options.ts';
import { envFile } from './env-file.ts';

const pathOf = (name: string) => new URL(`../../units/env/${name}`, import.meta.url);

/** @returns each file and its text. */
export const envFiles: readonly (readonly [path: URL, text: string])[] = [
  [
    pathOf('watchdog.env'),
    envFile('watchdog', watchdogOptions, { key: '/test/apache-8001', address: ':8001' }),
  ],
  // A single run is no service.
  [pathOf('balancer.env'), envFile('balancer', serviceOptions(), { prefix: '/test' })],
];

function serviceOptions() {
  const { once: _once, dryRun: _dryRun, ...options } = balancerOptions;
  return options;
}
