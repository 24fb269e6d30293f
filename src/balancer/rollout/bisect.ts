/**
 * Who of many makes a whole unacceptable, found with few questions. Pure but for the question.
 *
 * It looks for the shortest beginning of the list that is not accepted: its last member is a
 * culprit, alone or together with one before it. That one is left out, and the search goes on
 * from there until the rest is accepted: about log2(n) questions a culprit. What is left out
 * is never more than needed to make every beginning acceptable in turn, and everything that is
 * kept has been accepted together.
 */
export interface Culprit<T> {
  readonly member: T;
  /** What was said of the shortest beginning that ends with it. */
  readonly reason: string;
}

export interface Search<T> {
  readonly culprits: readonly Culprit<T>[];
  /** The rest was accepted as a whole. False: the questions ran out before. */
  readonly complete: boolean;
}

/**
 * @param faultOf why these together are not accepted; undefined: they are. Nobody at all must
 *   be accepted: else the fault is not with the members.
 * @param mayAsk asked before each question; false ends the search with what was found.
 */
export async function findCulprits<T>(
  members: readonly T[],
  faultOf: (some: readonly T[]) => Promise<string | undefined>,
  mayAsk: () => boolean,
): Promise<Search<T>> {
  const culprits: Culprit<T>[] = [];
  let rest = members;
  /** The beginning of `rest` that is known to be accepted. */
  let good = 0;
  for (;;) {
    if (!mayAsk()) return { culprits, complete: false };
    let reason = await faultOf(rest);
    if (reason === undefined) return { culprits, complete: true };
    let bad = rest.length;
    while (bad - good > 1) {
      if (!mayAsk()) return { culprits, complete: false };
      const middle = Math.floor((good + bad) / 2);
      const fault = await faultOf(rest.slice(0, middle));
      if (fault === undefined) good = middle;
      else [bad, reason] = [middle, fault];
    }
    const member = rest[bad - 1];
    // Nobody is left, and still it is not accepted: the answers contradict each other.
    if (member === undefined) return { culprits, complete: false };
    culprits.push({ member, reason });
    rest = rest.toSpliced(bad - 1, 1);
  }
}
