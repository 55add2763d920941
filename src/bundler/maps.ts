import { decodedMappings, encodedMappings, TraceMap, traceSegment } from '@jridgewell/trace-mapping';

type Segment = [column: number] | [column: number, source: number, line: number, sourceColumn: number, name?: number];

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
  /** Text that the map leads to; null takes the source out of the map. */
  text: string;
  /** From what the bundler was given to `text`; null where they are the same. */
  map: RawMap | null;
}

export interface FinalMap {
  version: 3;
  file: string;
  sources: string[];
  sourcesContent: (string | null)[];
  names: string[];
  mappings: string;
}

/**
 * Leads a bundle's map through the maps of its modules, to the user's files.
 *
 * The bundler knows only what it was given, so a change that moves lines but no code leaves its output as it is, and only this
 * is done again.
 *
 * @param bundle - from the bundle to the modules as the bundler saw them
 * @param file - name of the bundle
 * @param originalOf - by the path that the map names; null for a module that users shall not see, undefined for a file as it is
 */
export function composeMap(
  bundle: RawMap,
  file: string,
  originalOf: (source: string) => Original | null | undefined,
): FinalMap {
  const map = new TraceMap(bundle as ConstructorParameters<typeof TraceMap>[0]);
  const traces = bundle.sources.map((source) => traceOf(source, originalOf));
  const used = new Map<number, number>();
  const mappings = decodedMappings(map).map((line) => {
    const out: Segment[] = [];
    for (const segment of line) {
      const next = leadOn(segment, traces);
      if (next.length > 1 && !used.has(next[1] as number)) used.set(next[1] as number, used.size);
      if (next.length > 1) next[1] = used.get(next[1] as number) as number;
      if (!repeats(out.at(-1), next)) out.push(next);
    }
    return out;
  });
  const sources = [...used.keys()];
  return {
    version: 3,
    file,
    sources: sources.map((index) => bundle.sources[index] as string),
    sourcesContent: sources.map((index) => traces[index]?.text ?? bundle.sourcesContent?.[index] ?? null),
    names: bundle.names,
    mappings: encodedMappings(
      new TraceMap({ version: 3, sources: sources.map(String), names: bundle.names, mappings } as never),
    ),
  };
}

interface Trace {
  /** False for modules that users shall not see. */
  shown: boolean;
  map: TraceMap | null;
  text: string | undefined;
}

function traceOf(source: string | null, originalOf: (source: string) => Original | null | undefined): Trace {
  const original = source === null ? null : originalOf(source);
  if (original === null) return { shown: false, map: null, text: undefined };
  if (original === undefined) return { shown: true, map: null, text: undefined };
  const map = original.map ? new TraceMap(original.map as ConstructorParameters<typeof TraceMap>[0]) : null;
  return { shown: true, map, text: original.text };
}

function leadOn(segment: Readonly<Segment>, traces: readonly Trace[]): Segment {
  if (segment.length === 1) return [segment[0]];
  const [column, source, line, sourceColumn, name] = segment;
  const trace = traces[source] as Trace;
  if (!trace.shown) return [column];
  if (!trace.map) return [...segment] as Segment;
  const original = traceSegment(trace.map, line, sourceColumn);
  if (!original || original.length === 1) return [column];
  const [, , originalLine, originalColumn] = original;
  return name === undefined
    ? [column, source, originalLine, originalColumn]
    : [column, source, originalLine, originalColumn, name];
}

/** A segment that says what the one before it says. */
function repeats(before: Segment | undefined, next: Segment): boolean {
  if (!before || before.length !== next.length) return false;
  for (let at = 1; at < next.length; at++) if (before[at] !== next[at]) return false;
  return true;
}
