/**
 * Short lists of scalars, and lists of such lists, as the inputs of most steps are: written and read without what `devalue` sets up for
 * values of any kind, in the very same text.
 */

/** Longer ones are for `devalue`, and those that nest deeper. */
const MOST = 16;
const LONGEST = 1_000;
const DEEPEST = 2;

/** Characters that stand in the text as they are, whoever writes it. */
const PLAIN = /^[ !#-;=-[\]-~]*$/;

/** @returns the text of `devalue`, or null for anything else than short lists of plain scalars */
export function writeScalars(value: unknown): string | null {
  if (!Array.isArray(value)) return null;
  const texts: string[] = [];
  return put(value, 1, [], texts) === null ? null : `[${texts.join(',')}]`;
}

/** Gives a value its place, once. Null when it is none of ours. */
function put(value: unknown, depth: number, known: unknown[], texts: string[]): number | null {
  const found = known.indexOf(value);
  // It equals 0, and is another value.
  if (found >= 0) return Object.is(value, -0) ? null : found;
  const index = known.push(value) - 1;
  if (!Array.isArray(value)) {
    const text = textOf(value);
    if (text === null) return null;
    texts[index] = text;
    return index;
  }
  if (depth > DEEPEST || Object.getPrototypeOf(value) !== Array.prototype || value.length > MOST) return null;
  texts[index] = '';
  let places = '';
  for (let at = 0; at < value.length; at++) {
    const place = put(value[at], depth + 1, known, texts);
    if (place === null) return null;
    places += at === 0 ? place : `,${place}`;
  }
  texts[index] = `[${places}]`;
  return index;
}

function textOf(item: unknown): string | null {
  if (item === null || typeof item === 'boolean') return String(item);
  if (typeof item === 'number') return Number.isSafeInteger(item) && !Object.is(item, -0) ? String(item) : null;
  return typeof item === 'string' && item.length <= LONGEST && PLAIN.test(item) ? `"${item}"` : null;
}

/** @returns the list, or null when what was parsed is anything else than lists of scalars */
export function readScalars(flat: unknown): unknown[] | null {
  if (!Array.isArray(flat) || !Array.isArray(flat[0])) return null;
  const lists: unknown[][] = [];
  return takeList(flat as unknown[], 0, 1, lists);
}

/** @param lists those that were read, by their place: the same place is the same list */
function takeList(flat: unknown[], index: number, depth: number, lists: unknown[][]): unknown[] | null {
  const places = flat[index] as unknown[];
  const list: unknown[] = [];
  lists[index] = list;
  for (const place of places) {
    if (!Number.isInteger(place) || (place as number) < 1) return null;
    let item = flat[place as number];
    if (item === undefined) return null;
    if (typeof item === 'object' && item !== null) {
      if (!Array.isArray(item) || depth === DEEPEST) return null;
      item = lists[place as number] ?? takeList(flat, place as number, depth + 1, lists);
      if (item === null) return null;
    }
    list.push(item);
  }
  return list;
}
