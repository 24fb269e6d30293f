/**
 * Which of the places that apt knows have Debian's own packages? Pure. Others may use the same names
 * of releases: they come after those that end as Debian's mirrors do, and fail by their signatures.
 */

/**
 * @param printed by `apt-get update --print-uris`.
 * @param codename of the release that is installed. Updates and security fixes have other names.
 */
export function mirrorsIn(printed: string, codename: string): readonly string[] {
  const suites = new Set([codename, 'stable', 'oldstable']);
  const found = [...printed.matchAll(/^'([^' ]+)\/dists\/([\w-]+)\/InRelease' /gm)];
  const uris = new Set(
    found.flatMap(([, uri, suite]) => (uri && suites.has(suite ?? '') ? uri : [])),
  );
  return [...uris].toSorted((a, b) => rank(a) - rank(b));
}

const rank = (uri: string) => (uri.endsWith('/debian') ? 0 : 1);
