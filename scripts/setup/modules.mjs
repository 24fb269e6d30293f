/**
 * Whether node_modules is what package-lock.json says, told by the list that npm keeps of what it
 * installed. Times would mislead: a checkout, a copy and a container each set them as they like.
 */

/**
 * @typedef {object} Locked
 * @property {string} [version]
 * @property {string} [integrity]
 * @property {boolean} [optional] such a package is left out on the platforms it is not for
 */

/** @typedef {{ packages?: Record<string, Locked> }} Lockfile */

/**
 * @param {Lockfile} wanted package-lock.json
 * @param {Lockfile | undefined} installed node_modules/.package-lock.json
 * @returns {boolean}
 */
export function modulesMatch(wanted, installed) {
  const present = installed?.packages;
  if (!present) return false;
  return Object.entries(wanted.packages ?? {})
    .filter(([path, { optional }]) => path !== '' && !(optional && !present[path]))
    .every(
      ([path, { version, integrity }]) =>
        present[path]?.version === version && present[path]?.integrity === integrity,
    );
}
