/**
 * How deep and how large a value may be.
 *
 * Without a bound of ours, the engine's stack would draw the line, and it draws it elsewhere each time: code that has run often takes
 * less of the stack. Then a value could be written by a warm process that a cold one, which replays the run, cannot read.
 */

/** Levels of nesting. A cold engine reads more than twice as many with the usual stack. */
export const MAX_DEPTH = 1_000;

/** UTF-16 units of data. In UTF-8 that is less than what the stores take: SQLite 10⁹ bytes, PostgreSQL 2³⁰. */
export const MAX_LENGTH = 2 ** 28;

/** V8's words when a value outgrows the stack; when its text, or a table of it, outgrows what the engine can hold. */
const STACK = /call stack/i;
const SIZE =
  /^Invalid (?:string|array|typed array|array buffer) length|maximum size exceeded|longer than 0x|allocation failed/;

/** Which bound of the engine an error tells of. The errors of every realm count. */
export function boundOf(error: unknown): 'depth' | 'size' | null {
  try {
    const { name, message } = error as { name?: unknown; message?: unknown };
    if (typeof message !== 'string') return null;
    if (name === 'RangeError' && STACK.test(message)) return 'depth';
    return (name === 'RangeError' || name === 'Error') && SIZE.test(message) ? 'size' : null;
  } catch {
    return null;
  }
}

/** Whether flat data, as `devalue` writes it, nests deeper than `MAX_DEPTH`. */
export function isTooDeep(text: string): boolean {
  const flat: unknown = JSON.parse(text);
  if (!Array.isArray(flat) || flat.length <= MAX_DEPTH) return false;
  // What stands inside stands behind: whoever names a value first is what it nests in.
  const depths = new Uint32Array(flat.length);
  for (const [index, entry] of flat.entries()) {
    const depth = (depths[index] ?? 0) + 1;
    for (const child of childrenOf(entry)) {
      if (typeof child !== 'number' || child <= index || depths[child] !== 0) continue;
      if (depth >= MAX_DEPTH) return true;
      depths[child] = depth;
    }
  }
  return false;
}

/** The first item of an array with few of its places filled: after it the length, then index and value in turn. */
const SPARSE = -7;

function childrenOf(entry: unknown): readonly unknown[] {
  if (typeof entry !== 'object' || entry === null) return [];
  if (!Array.isArray(entry)) return Object.values(entry);
  const [tag] = entry as unknown[];
  if (tag === SPARSE) return entry.filter((_, index) => index >= 3 && index % 2 === 1);
  if (typeof tag !== 'string') return entry;
  // Keys of objects without a prototype are text; after the buffer of a view stand its bounds.
  return tag === 'Set' || tag === 'Map' || tag === 'null' ? entry.slice(1) : entry.slice(1, 2);
}

interface Place {
  value: object;
  up: Place | null;
  key: string;
  depth: number;
}

/** Steps of the path that a message shows. */
const SHOWN = 4;

/**
 * The beginning of a path that leads deeper than `MAX_DEPTH`: `.next.next.next.next`; null where none is seen, as with values that the
 * program makes while they are written.
 */
export function deepPath(root: unknown): string | null {
  if (typeof root !== 'object' || root === null) return null;
  const seen = new Set<object>([root]);
  const open: Place[] = [{ value: root, up: null, key: '', depth: 1 }];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    if (place.depth > MAX_DEPTH) return beginningOf(place);
    for (const [key, value] of partsOf(place.value)) {
      if (typeof value !== 'object' || value === null || seen.has(value)) continue;
      seen.add(value);
      open.push({ value, up: place, key, depth: place.depth + 1 });
    }
  }
  return null;
}

function beginningOf(deepest: Place): string {
  const keys: string[] = [];
  for (let place: Place | null = deepest; place !== null; place = place.up) keys.push(place.key);
  return keys
    .reverse()
    .slice(0, SHOWN + 1)
    .join('');
}

function partsOf(value: object): readonly (readonly [string, unknown])[] {
  try {
    if (value instanceof Map)
      return [...value].flatMap(([key, each]) => [['.key', key] as const, [entryOf(key), each] as const]);
    if (value instanceof Set) return [...value].map((each, index) => [`(${index})`, each]);
    if (Array.isArray(value)) return value.map((each, index) => [`[${index}]`, each]);
    if (ArrayBuffer.isView(value)) return [];
    const parts = Object.entries(value).map(([key, each]) => [pathOf(key), each] as const);
    return 'cause' in value ? [...parts, ['.cause', value.cause]] : parts;
  } catch {
    // A getter or a proxy that throws.
    return [];
  }
}

function entryOf(key: unknown): string {
  return typeof key === 'object' || typeof key === 'symbol' ? '.get(…)' : `.get(${JSON.stringify(String(key))})`;
}

function pathOf(key: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}
