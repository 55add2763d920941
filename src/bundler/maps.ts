import { decodedMappings, encodedMappings, TraceMap, traceSegment } from '@jridgewell/trace-mapping';

type Segment = [column: number] | [column: number, source: number, line: number, sourceColumn: number, name?: number];
type Mappings = Segment[][];

/** A source map, version 3. */
export interface RawMap {
  version: number;
  file?: string;
  sources: (string | null)[];
  sourcesContent?: (string | null)[];
  names: string[];
  mappings: string;
}

/** What a module was before pawl's own edits. */
export interface Original {
  text: string;
  /** From what the bundler was given to `text`; null where they are the same. */
  map: RawMap | null;
}

/**
 * The original of a source, by the name that the bundle's map has for it: null for a module that users shall not see, undefined for
 * a file that the bundler read as it is.
 */
export type OriginalOf = (source: string) => Original | null | undefined;

export interface FinalMap {
  version: 3;
  file: string;
  sources: string[];
  sourcesContent: (string | null)[];
  names: string[];
  mappings: string;
}

interface Trace {
  original: Original | null | undefined;
  map: TraceMap | null;
}

/**
 * Leads a bundle's map through the maps of its modules, to the user's files.
 *
 * The bundler knows only what it was given, so a change that moves lines but no code leaves its output as it is, and only the
 * segments of the changed file are led anew.
 */
export class ComposedMap {
  readonly #bundle: RawMap;
  readonly #raw: Mappings;
  readonly #traces: Trace[];
  /** Numbers of the sources that users shall see, and the number that each of all gets. */
  readonly #shown: number[];
  readonly #numbers: number[];
  readonly #mappings: Mappings;
  #encoded: string | null = null;

  constructor(bundle: RawMap, originalOf: OriginalOf) {
    this.#bundle = bundle;
    this.#raw = decodedMappings(traceMap(bundle)) as Mappings;
    this.#traces = bundle.sources.map((source) => traceOf(source, originalOf));
    this.#shown = this.#traces.flatMap(({ original }, index) => (original === null ? [] : [index]));
    this.#numbers = this.#traces.map((_, index) => this.#shown.indexOf(index));
    this.#mappings = this.#raw.map((line) => this.#lead(line));
  }

  /** Takes up changes of the originals; returns whether there were any. */
  update(originalOf: OriginalOf): boolean {
    const changed = new Set<number>();
    for (const [index, source] of this.#bundle.sources.entries()) {
      const next = source === null ? null : originalOf(source);
      const before = this.#traces[index]?.original;
      if (next?.text === before?.text && next?.map === before?.map) continue;
      this.#traces[index] = traceOf(source, originalOf);
      changed.add(index);
    }
    if (changed.size === 0) return false;
    for (const [index, line] of this.#raw.entries()) {
      if (line.some((segment) => segment.length > 1 && changed.has(segment[1] as number))) {
        this.#mappings[index] = this.#lead(line);
      }
    }
    this.#encoded = null;
    return true;
  }

  /** @param file - name of the bundle */
  toMap(file: string): FinalMap {
    const { sources, sourcesContent, names } = this.#bundle;
    this.#encoded ??= encodedMappings(
      traceMap({ version: 3, sources: this.#shown.map(String), names, mappings: this.#mappings as unknown as string }),
    );
    return {
      version: 3,
      file,
      sources: this.#shown.map((index) => sources[index] as string),
      sourcesContent: this.#shown.map(
        (index) => this.#traces[index]?.original?.text ?? sourcesContent?.[index] ?? null,
      ),
      names,
      mappings: this.#encoded,
    };
  }

  #lead(line: readonly Segment[]): Segment[] {
    const out: Segment[] = [];
    for (const segment of line) {
      const next = this.#leadOn(segment);
      if (!repeats(out.at(-1), next)) out.push(next);
    }
    return out;
  }

  #leadOn(segment: Segment): Segment {
    if (segment.length === 1) return segment;
    const [column, index, line, sourceColumn, name] = segment;
    const { original, map } = this.#traces[index] as Trace;
    if (original === null) return [column];
    const source = this.#numbers[index] as number;
    const found = map ? traceSegment(map, line, sourceColumn) : segment;
    if (!found || found.length === 1) return [column];
    return name === undefined ? [column, source, found[2], found[3]] : [column, source, found[2], found[3], name];
  }
}

const traceMaps = new WeakMap<RawMap, TraceMap>();

/** Decoded once for each map. */
export function traceMap(map: RawMap): TraceMap {
  let found = traceMaps.get(map);
  if (!found) {
    found = new TraceMap(map as ConstructorParameters<typeof TraceMap>[0]);
    traceMaps.set(map, found);
  }
  return found;
}

function traceOf(source: string | null, originalOf: OriginalOf): Trace {
  const original = source === null ? null : originalOf(source);
  return { original, map: original?.map ? traceMap(original.map) : null };
}

/** A segment that says what the one before it says. */
function repeats(before: Segment | undefined, next: Segment): boolean {
  if (!before || before.length !== next.length) return false;
  for (let at = 1; at < next.length; at++) if (before[at] !== next[at]) return false;
  return true;
}
