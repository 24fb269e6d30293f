/**
 * The whole nginx.conf as a pure function of the template, the settings and the
 * backends. Its generation is the hash of its own text, so equal files have equal
 * generations, and a file on disk can be asked whether it is what it says it is.
 */
import { createHash } from 'node:crypto';
import { Liquid, type Template } from 'liquidjs';
import type { Backend } from '../../registry/backend.ts';

export interface RenderSettings {
  readonly listen: string;
  readonly confirmListen: string;
  readonly confirmPath: string;
  readonly pidFile: string;
  readonly errorLog: string;
  readonly accessLog: string;
}

export interface Rendered {
  readonly generation: string;
  readonly text: string;
}

const sample: Backend = {
  key: '/test/apache-8001',
  name: 'apache-8001',
  address: '127.0.0.1:8001',
  host: '127.0.0.1',
  port: 8001,
  weight: 2,
  meta: { zone: 'a' },
};

/** @throws Error when the template fails on these backends. */
export type Renderer = (backends: readonly Backend[]) => Rendered;

/** Stands where the generation will, while the text is hashed. */
const placeholder = '@generation@';
const firstLine = (generation: string) =>
  `# rollcall generation ${generation}. Written by rollcall: changes made here do not last.\n`;

/** A template that does not end, or that fills the memory, is an error instead. */
const limits = { renderLimit: 5000, memoryLimit: 100_000_000, parseLimit: 10_000_000 };

export interface Templates {
  /** The whole file. */
  readonly main: string;
  /** What {% include 'confirm' %} stands for: the server that answers with the generation. */
  readonly confirm: string;
}

/**
 * @throws Error with the line of the template, when it does not parse or render, or
 * when nginx could not tell its generation.
 */
export function createRenderer(settings: RenderSettings, { main, confirm }: Templates): Renderer {
  const engine = new Liquid({
    strictVariables: true,
    // A template may ask whether a backend has some metadata: {% if backend.meta.zone %}.
    lenientIf: true,
    strictFilters: true,
    ownPropertyOnly: true,
    templates: { confirm },
    ...limits,
  });
  const parsed = engine.parse(main);
  const render: Renderer = (backends) => renderWith(engine, parsed, settings, backends);
  // Tried without and with a backend: strict variables fail only where they are reached.
  for (const backends of [[], [sample]]) {
    const { text, generation } = render(backends);
    if (!text.includes(`"generation":"${generation}"`)) {
      throw new Error(
        "it has no {% include 'confirm' %} in its http block: nginx could not tell which generation it serves",
      );
    }
  }
  return render;
}

function renderWith(
  engine: Liquid,
  template: Template[],
  settings: RenderSettings,
  backends: readonly Backend[],
): Rendered {
  const draft =
    firstLine(placeholder) +
    String(
      engine.renderSync(template, {
        backends,
        generation: placeholder,
        listen: settings.listen,
        confirm_listen: settings.confirmListen,
        confirm_path: settings.confirmPath,
        pid: settings.pidFile,
        error_log: settings.errorLog,
        access_log: settings.accessLog,
        zone_kb: zoneKb(backends.length),
      }),
    );
  const generation = hash(draft);
  return { generation, text: draft.replaceAll(placeholder, generation) };
}

/** nginx's shared zone takes under 1 KB for a server (measured: 10,000 fit in 10 MB), and some for itself. */
const zoneKb = (servers: number) => 64 + servers;

const hash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 12);

/** The generation that a file holds; undefined when it is not ours, or was changed since. */
export function generationOf(text: string): string | undefined {
  const generation = /^# rollcall generation ([0-9a-f]{12})\./.exec(text)?.[1];
  if (generation === undefined) return undefined;
  return hash(text.replaceAll(generation, placeholder)) === generation ? generation : undefined;
}
