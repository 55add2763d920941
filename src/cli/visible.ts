/**
 * Text of data (ids, names, messages) for a terminal. A terminal obeys control characters, and shows text in another order after some
 * others: an id must not clear the screen, nor look like another one.
 */

/** Controls but tab and line feed, line separators, and what turns the direction of text: as in formats of findings, which a test sees. */
// oxlint-disable-next-line no-control-regex
const UNSEEN = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

// oxlint-disable-next-line no-control-regex
const COLOR = /\u001b\[[\d;]*m/;

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Text of several lines, with `\u001b` for what would not be seen. */
export function visible(text: string): string {
  return text.replace(UNSEEN, escaped);
}

/** Text that must stay on its line. */
export function visibleLine(text: string): string {
  return visible(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t');
}

/** Text that holds colours of ours: they stay. */
export function visibleColored(text: string): string {
  return text
    .split(new RegExp(`(${COLOR.source})`))
    .map((part, index) => (index % 2 === 1 ? part : visible(part)))
    .join('');
}

/** On its line and not longer than `width`: its beginning and its end. Either of them names a run to `pawl inspect`. */
export function shortened(text: string, width: number): string {
  const line = visibleLine(text);
  if (line.length <= width) return line;
  const end = Math.floor((width - 1) / 3);
  return `${line.slice(0, width - 1 - end)}…${line.slice(-end)}`;
}
