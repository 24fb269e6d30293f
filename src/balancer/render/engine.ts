/**
 * LiquidJS as it is configured here: a template sees what it is given and nothing else of the
 * machine; what it prints is made for nginx; and it ends, in bounded time and memory, whatever it
 * says. Every fault is one line with the place of the template.
 */
import { Liquid } from 'liquidjs';
import { messageOf } from '../../lib/errors.ts';
import { plain, quote, textOf } from './nginx-escape.ts';
import { serverLines } from './server-lines.ts';
import type { Variables } from './variables.ts';

export interface Templates {
  /** Where the main one comes from, to name it in a fault: "--template /etc/rollcall/nginx.liquid". */
  readonly source: string;
  /** The whole file. */
  readonly main: string;
  /** What {% include 'NAME' %} stands for. */
  readonly partials: Readonly<Record<string, string>>;
}

/** Rendering is synchronous: while it lasts nothing else happens. */
const renderLimitMs = 2000;
/** Elements of ranges and lists, and characters of texts, that filters may make in all. */
const memoryLimit = 8_000_000;
/** What is printed, in characters: a hundred thousand servers are four million. */
const printLimit = 32_000_000;

/** @throws Error when the template does not parse. What it returns throws where it does not render. */
export function createEngine(templates: Templates): (variables: Variables) => string {
  const { source, main, partials } = templates;
  const engine = new Liquid({
    strictVariables: true,
    // A template may ask whether a backend has some metadata: {% if backend.meta.zone %}.
    lenientIf: true,
    strictFilters: true,
    ownPropertyOnly: true,
    templates: { ...partials },
    cache: true,
    outputEscape: plain,
    memoryLimit,
    renderLimit: renderLimitMs,
  });
  engine.registerFilter('quote', { raw: true, handler: quote });
  engine.registerFilter('server_lines', { raw: true, handler: serverLines });
  for (const name of choosing) lenient(engine, name);
  const bounded = boundOutput(engine);
  const parsed = named(source, () => engine.parse(main));
  return (variables) =>
    named(source, () => {
      bounded.begin();
      return String(engine.renderSync(parsed, variables));
    });
}

/** These look at each of a list, and not every backend has the same metadata. */
const choosing = ['where', 'reject', 'find', 'find_index', 'has', 'group_by', 'where_exp'];

function lenient(engine: Liquid, name: string): void {
  const filter = engine.filters[name];
  if (typeof filter !== 'function') throw new Error(`LiquidJS has no filter ${name}`);
  engine.registerFilter(name, function* choose(...given: unknown[]) {
    const { context } = this;
    const before = context.strictVariables;
    context.strictVariables = false;
    try {
      return (yield filter.apply(this, given as Parameters<typeof filter>)) as unknown;
    } finally {
      context.strictVariables = before;
    }
  });
}

/** LiquidJS counts what its filters make, and not what a template prints, in a loop or a capture. */
function boundOutput({ renderer }: Liquid) {
  let left = printLimit;
  const renderTemplates = renderer.renderTemplates.bind(renderer);
  class Bounded {
    buffer = '';
    write(value: unknown) {
      const text = textOf(value);
      left -= text.length;
      if (left < 0) throw new Error(`print limit exceeded: more than ${printLimit} characters`);
      this.buffer += text;
    }
  }
  renderer.renderTemplates = (list, context, emitter = new Bounded()) =>
    renderTemplates(list, context, emitter);
  return { begin: () => void (left = printLimit) };
}

function named<T>(source: string, render: () => T): T {
  try {
    return render();
  } catch (error) {
    throw new Error(`${source}: ${messageOf(error)}`, { cause: error });
  }
}
