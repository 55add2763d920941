/** Texts of users may hold anything: what would end a line, colour a terminal or break a parser is made harmless here. */

/** Controls but tab and line feed, line separators, and marks that turn the direction of what follows. */
const UNSEEN = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** A text for a terminal: characters that would act on it are written out, `\u{1b}`. */
export function visible(text: string): string {
  return text.replace(UNSEEN, written);
}

/** A text for one line: line ends are written out too. */
export function oneLine(text: string): string {
  return visible(text).replace(/[\n\t]/g, written);
}

function written(character: string): string {
  return `\\u{${character.charCodeAt(0).toString(16)}}`;
}

const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** A text that every encoder takes: halves of surrogate pairs are replaced, as decoders do. */
export function wellFormed(text: string): string {
  return text.replace(LONE_SURROGATE, '\ufffd');
}
