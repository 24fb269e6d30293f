/**
 * The whole nginx.conf as a pure function of the template, the settings, the services and
 * their backends. Its generation is the hash of its own text, so equal files have equal
 * generations, and a file on disk can be asked whether it is what it says it is.
 */
import { createHash } from 'node:crypto';
import type { Backend } from '../../registry/backend.ts';
import type { Service } from '../../options/service.ts';
import { createEngine, type Templates } from './engine.ts';
import { type RenderSettings, type ServedService, variablesOf } from './variables.ts';

export type { RenderSettings, ServedService } from './variables.ts';

export interface Rendered {
  readonly generation: string;
  /** The hash of all that is not membership: the same for all that one renderer makes. */
  readonly configuration: string;
  readonly text: string;
}

/**
 * All services of the renderer, in their order.
 * @throws Error when the template fails on these backends.
 */
export type Renderer = (served: readonly ServedService[]) => Rendered;

export interface CreatedRenderer {
  readonly render: Renderer;
  /** nginx can be asked for the generation that it serves. */
  readonly tellsGeneration: boolean;
  readonly configuration: string;
}

/** Stands where the generation will, while the text is hashed. No key, value or setting can hold it. */
const placeholder = '<generation>';
const firstLine = (generation: string) =>
  `# rollcall generation ${generation}. Written by rollcall: changes made here do not last.\n`;

/** @throws Error with the line of the template, when it does not parse or render. */
export function createRenderer(
  settings: RenderSettings,
  services: readonly Service[],
  templates: Templates,
): CreatedRenderer {
  const { main, partials } = templates;
  const configuration = hash(JSON.stringify([settings, services, main, partials]));
  const engine = createEngine(templates);
  const variables = variablesOf(settings, services);
  const render: Renderer = (served) => {
    const given = { ...variables(served), generation: placeholder, configuration };
    const draft = firstLine(placeholder) + engine(given);
    const generation = hash(draft);
    return { generation, configuration, text: draft.replaceAll(placeholder, generation) };
  };
  // Tried without and with a backend: strict variables fail only where they are reached.
  const samples = [[], [sample]].map((backends) =>
    render(services.map((service) => ({ service, backends }))),
  );
  const tellsGeneration = samples.every(({ text, generation }) =>
    withoutComments(text).includes(`"generation":"${generation}"`),
  );
  return { render, tellsGeneration, configuration };
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

/**
 * As nginx reads it: it never tells what stands in a comment. A "#" inside of quotes is taken for
 * one too, at the cost of a confirmation by nginx's workers where its own words could be had.
 */
const withoutComments = (text: string) => text.replaceAll(/(?<=^|[\s;{}])#.*$/gm, '');

const hash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 12);

/** The generation that a file holds; undefined when it is not ours, or was changed since. */
export function generationOf(text: string): string | undefined {
  const generation = /^# rollcall generation ([0-9a-f]{12})\./.exec(text)?.[1];
  if (generation === undefined) return undefined;
  return hash(text.replaceAll(generation, placeholder)) === generation ? generation : undefined;
}
