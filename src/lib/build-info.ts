/** `rollcall_build_info`: which version is running, as Prometheus users expect to find it. */
import { Gauge, type Registry } from 'prom-client';
import { version } from './version.ts';

export function registerBuildInfo(registry: Registry): void {
  new Gauge({
    name: 'rollcall_build_info',
    help: 'Always 1; the version is a label.',
    labelNames: ['version'],
    registers: [registry],
  }).set({ version }, 1);
}
