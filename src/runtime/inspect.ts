/** For tools that show what the event log holds. */
import { passthroughCodec } from './serialization/passthrough.ts';
import { mapStack, placeOf, type SourcePlace } from './source-maps.ts';

const codec = passthroughCodec(mapStack);

/**
 * Reads a value as it stands in the log (`data`, `input`, `output`), without the program that wrote it: references to steps and
 * workflows become functions with an id, instances of classes objects with their `data`.
 *
 * @throws PawlError `PAWL_DATA_VERSION`, `PAWL_DATA_INVALID`.
 */
export function deserializeData(data: string): unknown {
  return codec.parse(data);
}

/** An error of the log, for printing. */
export interface ErrorSummary {
  name: string;
  message: string;
  code: string | null;
  remedy: string | null;
  /** The user's file, line and column. */
  place: SourcePlace | null;
  /** With frames in the user's sources. */
  stack: string | null;
  cause: ErrorSummary | null;
}

/** Takes an error of the log apart; a value that was thrown and is no error becomes the message. */
export function summarizeError(data: string): ErrorSummary {
  let error: unknown;
  try {
    error = codec.parse(data);
  } catch (problem) {
    error = problem;
  }
  return summarize(error, 0);
}

const DEEPEST_CAUSE = 10;

function summarize(error: unknown, depth: number): ErrorSummary {
  const it = (typeof error === 'object' && error !== null ? error : { message: String(error) }) as Record<
    string,
    unknown
  >;
  const text = (key: string): string | null => (typeof it[key] === 'string' ? it[key] : null);
  const stack = text('stack');
  return {
    name: text('name') ?? 'Error',
    message: text('message') ?? '',
    code: text('code'),
    remedy: text('remedy'),
    place: placeOf(stack ?? undefined),
    stack,
    cause: it.cause === undefined || depth >= DEEPEST_CAUSE ? null : summarize(it.cause, depth + 1),
  };
}
