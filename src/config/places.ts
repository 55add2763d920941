import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';

/** The part of jiti that is needed: what it made of a file, with an inline source map where its options ask for one. */
export interface Compiler {
  transform(options: { filename: string; source: string; ts: boolean; async: boolean }): string;
}

export interface Place {
  /** From 1. */
  line: number;
  /** From 1. */
  column: number;
}

/** jiti runs what it compiled in a function; what stands before the code shifts the columns of its first line. */
const WRAPPER = '(async function (exports, require, module, __filename, __dirname, jitiImport, jitiESMResolve) { ';

const INLINE_MAP = /\/\/# sourceMappingURL=data:application\/json;(?:charset=utf-8;)?base64,([\w+/=]+)/;

/**
 * The place in a configuration of what stands at a place of the code that was made of it. jiti keeps lines; columns move with every type
 * that goes, and with every import that becomes a call.
 *
 * @param place - as a stack names it
 * @returns the place as it was given when there is no map
 */
export function writtenPlace(compiler: Compiler | undefined, file: string, source: string, place: Place): Place {
  const map = compiler && mapOf(compiler, file, source);
  if (!map) return place;
  const shift = place.line === 1 ? WRAPPER.length : 0;
  const { line, column } = originalPositionFor(map, {
    line: place.line,
    column: Math.max(0, place.column - 1 - shift),
  });
  return line === null ? place : { line, column: column + 1 };
}

function mapOf(compiler: Compiler, filename: string, source: string): TraceMap | null {
  try {
    const code = compiler.transform({ filename, source, ts: /\.[cm]?tsx?$/.test(filename), async: true });
    const encoded = INLINE_MAP.exec(code)?.[1];
    return encoded === undefined ? null : new TraceMap(Buffer.from(encoded, 'base64').toString());
  } catch {
    // Then the place stays that of the compiled code: its line is right.
    return null;
  }
}
