/** What nginx answers when asked which generation it serves. */
export type NginxAnswer =
  | {
      readonly kind: 'serves';
      readonly generation: string;
      /** The number of the worker that said so, as it sees itself; undefined: it was not asked. */
      readonly worker?: number;
    }
  /** It says that it does not: nothing listens, or something else answers. */
  | { readonly kind: 'silent'; readonly reason: string }
  /** No answer in time: it says nothing at all, and may be busy. */
  | { readonly kind: 'late'; readonly reason: string };
