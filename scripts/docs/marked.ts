/**
 * The generated parts of a Markdown text stand between <!-- NAME --> and <!-- /NAME -->. Only what
 * is between them is ever replaced. Pure.
 */

/** @throws Error when the text does not have both markers, in order, once each. */
export function replaceMarked(text: string, name: string, content: string): string {
  const [before, between, after] = partsOf(text, name);
  // An end that is already in place stays: equal content gives the equal text.
  return between === framed(content) ? text : before + framed(content) + after;
}

export function readMarked(text: string, name: string): string {
  return partsOf(text, name)[1].replace(/^\n+/, '').replace(/\n+$/, '');
}

const framed = (content: string) => `\n\n${content}\n\n`;

function partsOf(text: string, name: string): readonly [string, string, string] {
  const opening = `<!-- ${name} -->`;
  const closing = `<!-- /${name} -->`;
  const [before, rest, ...more] = text.split(opening);
  const [between, after, ...stillMore] = (rest ?? '').split(closing);
  if (before === undefined || between === undefined || after === undefined) {
    throw new Error(`the markers ${opening} and ${closing} are missing, or not in this order`);
  }
  if (more.length + stillMore.length > 0) throw new Error(`the marker ${opening} stands twice`);
  return [before + opening, between, closing + after];
}
