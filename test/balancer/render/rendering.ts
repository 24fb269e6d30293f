/** Renderers for tests: with settings that name nothing of this machine, and services by their option. */
import { createRenderer, type RenderSettings } from '../../../src/balancer/render/render.ts';
import { readTemplates } from '../../../src/balancer/render/templates.ts';
import { services } from '../../../src/options/service-values.ts';
import type { Backend } from '../../../src/registry/backend.ts';

export const settings: RenderSettings = {
  listen: '127.0.0.1:8080',
  confirmListen: '127.0.0.1:8079',
  confirmPath: '/',
  pidFile: '/run/nginx.pid',
  errorLog: '/var/log/nginx/error.log',
  accessLog: 'off',
  workerShutdownTimeoutMs: 240_000,
};

export interface Asked {
  /** As `--service` has them, one a line. */
  readonly services?: string;
  /** A template of the operator's own. */
  readonly main?: string;
  readonly settings?: Partial<RenderSettings>;
}

export function renderer(asked: Asked = {}) {
  const all = services(asked.services ?? 'backend=/test');
  const builtIn = readTemplates(undefined);
  const own = asked.main === undefined ? {} : { source: '--template /t', main: asked.main };
  const created = createRenderer({ ...settings, ...asked.settings }, all, { ...builtIn, ...own });
  return {
    ...created,
    /** With these backends for the services in their order, and none for the rest. */
    of: (...pools: readonly (readonly Backend[])[]) =>
      created.render(all.map((service, n) => ({ service, backends: pools[n] ?? [] }))),
  };
}

/** What a template of the operator's own prints for these backends, after the first line. */
export const printed = (main: string, ...backends: readonly Backend[]) =>
  renderer({ main }).of(backends).text.replace(/^.*\n/, '');
