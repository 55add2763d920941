/**
 * Short lists of scalars, as the arguments of most calls are: written and read without what `devalue` sets up for values of any kind, in
 * the very same text.
 */

/** Longer ones are for `devalue`. */
const MOST = 16;
const LONGEST = 1_000;

/** Characters that stand in the text as they are, whoever writes it. */
const PLAIN = /^[ !#-;=-[\]-~]*$/;

/** @returns the text of `devalue`, or null for anything else than a short list of plain scalars */
export function writeScalars(value: unknown): string | null {
  if (!Array.isArray(value) || Object.getPrototypeOf(value) !== Array.prototype || value.length > MOST) return null;
  const known: unknown[] = [];
  const indexes: number[] = [];
  let texts = '';
  for (let at = 0; at < value.length; at++) {
    const item: unknown = value[at];
    // It equals 0, and is another value.
    if (Object.is(item, -0)) return null;
    let index = known.indexOf(item);
    if (index < 0) {
      const text = textOf(item);
      if (text === null) return null;
      index = known.push(item) - 1;
      texts += `,${text}`;
    }
    indexes.push(index + 1);
  }
  return `[[${indexes.join(',')}]${texts}]`;
}

function textOf(item: unknown): string | null {
  if (item === null || typeof item === 'boolean') return String(item);
  if (typeof item === 'number') return Number.isSafeInteger(item) ? String(item) : null;
  return typeof item === 'string' && item.length <= LONGEST && PLAIN.test(item) ? `"${item}"` : null;
}

/** @returns the list, or null when what was parsed is anything else than a list of scalars */
export function readScalars(flat: unknown): unknown[] | null {
  const indexes: unknown = Array.isArray(flat) ? flat[0] : null;
  if (!Array.isArray(indexes)) return null;
  const list: unknown[] = [];
  for (const index of indexes as unknown[]) {
    if (!Number.isInteger(index) || (index as number) < 1) return null;
    const item = (flat as unknown[])[index as number];
    if (item === undefined || (typeof item === 'object' && item !== null)) return null;
    list.push(item);
  }
  return list;
}
