/**
 * Inputs of defined workflows that a program without a worker started. It may not have the definition, so it records the input as it was
 * given; the first worker that takes the run parses it, before the workflow's code begins, and keeps what the schema made of it in the log.
 */
import type { NewRunEvent } from '../store/events.ts';
import type { EventStore } from '../store/port.ts';
import { endEvent, errorData, recordedError } from './endings.ts';
import type { Program } from './program.ts';
import { firstEvents } from './resuming.ts';
import type { Codec } from './serialization/codec.ts';
import { definitionOf } from './step-runner.ts';
import type { Undriven } from './undriven.ts';
import type { Claimed } from './upgrade.ts';
import { readLog, writeArguments } from './worker-parts.ts';

export interface AdmissionHost {
  readonly store: EventStore;
  readonly program: Program;
  readonly codec: Codec;
  now(): number;
}

/**
 * Parses the input of a run that was just claimed, if nobody has.
 *
 * @param claimed null when another worker has taken the run
 * @returns the run as it is then; its end where the schema refuses the input; null when another worker has taken the run
 */
export async function admitRun(host: AdmissionHost, claimed: Claimed | null): Promise<Claimed | Undriven | null> {
  if (claimed === null) return null;
  const { store, program } = host;
  const { record, log, inbox } = claimed;
  const { id: runId, workflowId, fence, lastSeq: afterSeq, input } = record;
  const registered = program.registry.workflows.get(workflowId);
  if (record.bundleHash !== null || record.parent !== null || !definitionOf(registered)?.parseInput) return claimed;
  const { hash } = program.workflows;
  const at = Math.max(host.now(), log.at(-1)?.at ?? 0);
  let parsed: string;
  try {
    const args = input === null ? [] : (host.codec.parse(input) as unknown[]);
    parsed = await writeArguments(host.codec, registered, { workflowId, args });
  } catch (error) {
    const end = { status: 'failed' as const, data: recordedError(errorData(error)).data };
    const events: NewRunEvent[] = [...firstEvents(record, hash, at), endEvent(end, at)];
    const result = await store.append({ runId, fence, afterSeq, events, consume: inbox.map(({ id }) => id) });
    if (!result.ok) return null;
    return { event: { type: 'run-finished', runId, workflowId, status: 'failed', at, error: end.data }, end };
  }
  if (parsed === input) return claimed;
  const bound: NewRunEvent = { type: 'bundle_bound', at, data: parsed, meta: { bundleHash: hash } };
  const result = await store.append({ runId, fence, afterSeq, events: [bound] });
  if (!result.ok) return null;
  const bundled = { ...record, bundleHash: hash, lastSeq: result.lastSeq };
  return { ...claimed, record: bundled, log: await readLog(store, runId) };
}
