/** The licences of the libraries that the bundle holds parts of, as they ask for: name, version, text. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const inPackage = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/;

/**
 * @param {Iterable<string>} modules the files that went into the bundle
 * @returns {string}
 * @throws {Error} when a package has no text of its licence
 */
export function licencesOf(modules) {
  const directories = new Set(
    [...modules].flatMap((path) => inPackage.exec(path.replace('\0', ''))?.[0] ?? []),
  );
  return [...directories]
    .toSorted()
    .map(licenceOf)
    .join(`\n${'-'.repeat(80)}\n\n`);
}

/** @param {string} directory */
function licenceOf(directory) {
  /** @type {{ name: string, version: string, license?: string }} */
  const { name, version, license } = JSON.parse(
    readFileSync(join(directory, 'package.json'), 'utf8'),
  );
  const files = readdirSync(directory).filter((file) => /^licen[cs]e/i.test(file));
  const texts = files.map((file) => readFileSync(join(directory, file), 'utf8').trim());
  if (texts.length === 0) texts.push(fromReadme(directory) ?? `Licence: ${license}`);
  return `${name} ${version} (${license})\n\n${texts.join('\n\n')}\n`;
}

/** @param {string} directory */
function fromReadme(directory) {
  const readme = ['README.md', 'readme.md'].map((name) => join(directory, name)).find(existsSync);
  const text = readme && /^#+ licen[cs]e\s+([\s\S]*)/im.exec(readFileSync(readme, 'utf8'))?.[1];
  return text?.trim();
}
