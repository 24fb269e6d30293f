/**
 * What nginx should serve, from who is in the pools: rendered anew only when somebody comes, goes
 * or changes. A template that fails on these backends is a value with its reason.
 */
import { messageOf } from '../../lib/errors.ts';
import { identical } from '../pool/pool.ts';
import type { Rendered, Renderer, ServedService } from '../render/render.ts';

export type Draft =
  | { readonly ok: true; readonly served: readonly ServedService[]; readonly rendered: Rendered }
  | {
      readonly ok: false;
      readonly served: readonly ServedService[];
      readonly fault: string;
      /** It took too long, or made too much: of so many backends, no single one is to blame. */
      readonly tooMuch: boolean;
    };

/** The very same draft while the backends are the same. */
export function rememberingLast(render: Renderer): (served: readonly ServedService[]) => Draft {
  let last: Draft | undefined;
  return (served) => {
    if (!last || !sameServed(last.served, served)) last = draftOf(render, served);
    return last;
  };
}

/** An operator's template can fail on backends that it was never tried on. */
export function draftOf(render: Renderer, served: readonly ServedService[]): Draft {
  try {
    return { ok: true, served, rendered: render(served) };
  } catch (error) {
    const reason = messageOf(error);
    const tooMuch = /\blimit exceeded\b/.test(reason);
    return { ok: false, served, tooMuch, fault: `the template does not render: ${reason}` };
  }
}

const sameServed = (a: readonly ServedService[], b: readonly ServedService[]) =>
  a === b || a.every(({ backends }, n) => identical(backends, b[n]?.backends ?? []));
