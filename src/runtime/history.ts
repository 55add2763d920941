/**
 * Histories: event logs outside of their store, to be kept, sent, and replayed against other code.
 *
 * A file of histories has one JSON object a line: `{ "pawl": "history", "version": 1, "id", "events" }`. The first event is
 * `run_created`, so that identity, seed and arguments are all there; results and arguments are in it as they were recorded, so a
 * history holds whatever the run was given.
 */
import { z } from 'zod';
import { PawlError } from '../errors.ts';
import { type EventOf, parseEvent, type RunEvent } from '../store/events.ts';

const VERSION = 1;

/** A run's log, with the id that the log does not hold. */
export interface History {
  id: string;
  events: [EventOf<'run_created'>, ...RunEvent[]];
}

const lineSchema = z.object({
  pawl: z.literal('history'),
  version: z.number(),
  id: z.string().min(1),
  events: z.array(z.unknown()).min(1),
});

/**
 * The history of a run.
 *
 * @param events the whole log, in order
 * @throws PawlError `PAWL_HISTORY_INVALID` when the log does not begin with the creation of the run, or has a gap
 */
export function historyOf(id: string, events: readonly RunEvent[]): History {
  return checked(id, events, `run ${id}`);
}

/**
 * A history as a line of a file, without the line's end.
 *
 * @param events the whole log of the run, in order
 * @throws PawlError `PAWL_HISTORY_INVALID` when the log does not begin with the creation of the run
 * @example
 * appendFileSync('histories.jsonl', formatHistory(run.runId, await run.events()) + '\n');
 */
export function formatHistory(id: string, events: readonly RunEvent[]): string {
  return JSON.stringify({ pawl: 'history', version: VERSION, ...historyOf(id, events) });
}

/**
 * Reads a file of histories.
 *
 * @param text one history a line; empty lines are skipped
 * @param place for errors: the file
 * @throws PawlError `PAWL_HISTORY_INVALID`, `PAWL_HISTORY_VERSION`, with the line
 * @example
 * for (const { id, events } of parseHistories(readFileSync('histories.jsonl', 'utf8'), 'histories.jsonl')) console.log(id, events.length);
 */
export function parseHistories(text: string, place: string): History[] {
  const histories: History[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() !== '') histories.push(parseLine(line, `${place}:${index + 1}`));
  }
  if (histories.length === 0) throw invalid('there is none in it', place);
  return histories;
}

function parseLine(line: string, place: string): History {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw invalid('the line is not JSON', place);
  }
  const parsed = lineSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalid(`${issue?.path.join('.') || 'the line'}: ${issue?.message ?? 'not a history'}`, place);
  }
  const { version, id, events } = parsed.data;
  if (version !== VERSION) {
    throw new PawlError(
      'PAWL_HISTORY_VERSION',
      `The history is one of version ${version}; this pawl reads ${VERSION}.`,
      {
        place,
        remedy: 'Use the pawl that wrote it, or a newer one.',
      },
    );
  }
  const log = events.map((event, index) => {
    const read = parseEvent(event);
    if ('event' in read) return read.event;
    throw invalid(`event ${index + 1}: ${read.problem}`, place);
  });
  return checked(id, log, place);
}

function checked(id: string, events: readonly RunEvent[], place: string): History {
  const [first, ...rest] = events;
  if (first?.type !== 'run_created') throw invalid('it does not begin with the creation of the run', place);
  const gap = events.findIndex(({ seq }, index) => seq !== index + 1);
  if (gap >= 0) throw invalid(`event ${gap + 1} is missing`, place);
  return { id, events: [first, ...rest] };
}

function invalid(reason: string, place: string): PawlError {
  return new PawlError('PAWL_HISTORY_INVALID', `This is no history of a run: ${reason}.`, {
    place,
    remedy: 'A history is a line that `pawl inspect RUN --history` or `pawl runs --history` prints.',
  });
}
