/** Runs that workflow code asks for by calling another workflow: what they are called, and with which input they begin. */
import { createHash } from 'node:crypto';
import type { EventOf, NewRunEvent } from '../store/events.ts';
import { errorData } from './endings.ts';
import type { Program } from './program.ts';
import type { Codec } from './serialization/codec.ts';
import { definitionOf } from './step-runner.ts';

/** Ids of runs that are called by runs that are called by runs … grow no longer than this and a bit. */
const LONGEST_ID = 150;

/**
 * Id and seed of a child, the same whenever the command is asked for again. The id says whose child it is; the rest of it follows
 * from the parent's seed, so that it is none which a person chose.
 */
export function childOf(parent: { id: string; seed: string }, cid: number): { runId: string; seed: string } {
  const hash = createHash('sha256').update(`${parent.seed}\n${cid}`).digest('hex');
  const { id } = parent;
  const beginning = id.length <= LONGEST_ID ? id : `${id.slice(0, LONGEST_ID)}~`;
  return { runId: `${beginning}.${cid}-${hash.slice(0, 12)}`, seed: hash.slice(12) };
}

type Scheduled = Extract<NewRunEvent, { type: 'child_scheduled' }>;

/** Calls whose input was checked already: what a schema made of it is not for the schema again. */
const admitted = new WeakSet<NewRunEvent>();

/**
 * Checks the inputs of defined workflows, before anything is recorded.
 *
 * @returns null when there is nothing to check; else resolves to the events to be recorded in place of these: the input as its schema
 *   gives it, or `child_refused`
 */
export function admitChildren(
  program: Program,
  codec: Codec,
  events: readonly NewRunEvent[],
): Promise<NewRunEvent[]> | null {
  const parserOf = (event: NewRunEvent): ((input: unknown) => Promise<unknown>) | undefined =>
    event.type === 'child_scheduled' && !admitted.has(event)
      ? definitionOf(program.registry.workflows.get(event.name))?.parseInput
      : undefined;
  if (!events.some(parserOf)) return null;
  return Promise.all(
    events.map(async (event) => {
      const parse = parserOf(event);
      return parse ? admit(event as Scheduled, parse, codec) : event;
    }),
  );
}

async function admit(
  event: Scheduled,
  parse: (input: unknown) => Promise<unknown>,
  codec: Codec,
): Promise<Scheduled | Omit<EventOf<'child_refused'>, 'seq' | 'attempt' | 'meta'>> {
  const { at, cid, name, data } = event;
  try {
    const [input] = data == null ? [] : (codec.parse(data) as unknown[]);
    const args = [await parse(input)];
    const parsed = {
      ...event,
      data: codec.stringify(args, { root: 'args', what: `the arguments of workflow ${name}` }),
    };
    admitted.add(parsed);
    return parsed;
  } catch (error) {
    return { type: 'child_refused', at, cid, name, data: errorData(error) };
  }
}
