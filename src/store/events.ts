/**
 * The events of a run: what the append-only log consists of.
 *
 * An event is trusted only after `parseEvent`: the log is a file that anyone can edit and that an older or newer pawl may
 * have written. Every event has the same eight fields, so that a store needs one table; what a field holds depends on `type`:
 *
 * | type | cid | name | attempt | data | meta |
 * |---|---|---|---|---|---|
 * | `run_created` | – | workflow id | – | arguments | `seed`, `bundleHash` |
 * | `bundle_bound` | – | – | – | arguments, parsed (or null: those of `run_created` count) | `bundleHash`: the run goes on with this workflow bundle |
 * | `run_upgraded` | – | – | – | – | `bundleHash`: somebody moved the run to this workflow bundle; `from`: the one before |
 * | `run_upgrade_refused` | – | – | – | – | `bundleHash`: the run stays where it is; `code`, `message`: why |
 * | `step_scheduled` | yes | step id | – | arguments (or null) | – |
 * | `step_started` | yes | – | yes | – | `reason`: `retry` or `recovered` (first attempts write none) |
 * | `step_attempt_failed` | yes | – | yes | error | `retryAt`, `startedAt?`, `heartbeat?`: details, serialized |
 * | `step_completed` | yes | – | yes | result | `startedAt?` |
 * | `step_failed` | yes | – | yes | error | `startedAt?` |
 * | `sleep_scheduled` | yes | – | – | – | `until` |
 * | `sleep_completed` | yes | – | – | – | `woken?`: true when someone woke it before its time |
 * | `hook_created` | yes | token | – | metadata (or null) | – |
 * | `hook_conflicted` | yes | token | – | – | `runId`: the run that owns the token |
 * | `hook_received` | yes | – | – | payload | – |
 * | `hook_refused` | yes | – | – | error | – (the payload before it is none that the hook's schema takes: the code did not get it) |
 * | `hook_disposed` | yes | – | – | – | – |
 * | `child_scheduled` | yes | workflow id | – | arguments (or null) | `runId`, `seed`: of the run that this makes |
 * | `child_refused` | yes | workflow id | – | error | – (in place of `child_scheduled`: no run was made) |
 * | `child_completed` | yes | – | – | result | – |
 * | `child_failed` | yes | – | – | error | – |
 * | `cancel_requested` | – | – | – | – | `reason?` |
 * | `run_completed` | – | – | – | result | – |
 * | `run_failed` | – | – | – | error | – |
 * | `run_cancelled` | – | – | – | error or null | – |
 * | `run_parked` | – | – | – | – | `code`, `message`, `details?` |
 * | `run_unparked` | – | – | – | – | – |
 *
 * `cid` is the number of the command within its run; `data` is a user value, serialized by the runtime, opaque to the store;
 * all times are ms since the epoch, by the clock of the run; `at` is a whole number.
 */
import { z } from 'zod';

const count = z.number().int().nonnegative();
const time = z.number().finite();
/** Whole, so that every store keeps it exactly: replay must see the very time that the live run saw. */
const moment = z.number().int();
const none = z.null();
const text = z.string();

/** One event type: unnamed columns are null. `seq` counts from 1 without gaps, `at` is when it happened. */
function event<
  T extends string,
  C extends z.ZodType = z.ZodNull,
  N extends z.ZodType = z.ZodNull,
  A extends z.ZodType = z.ZodNull,
  D extends z.ZodType = z.ZodNull,
  M extends z.ZodType = z.ZodNull,
>(type: T, columns: { cid?: C; name?: N; attempt?: A; data?: D; meta?: M }) {
  return z.object({
    seq: count.min(1),
    type: z.literal(type),
    at: moment,
    cid: (columns.cid ?? none) as C,
    name: (columns.name ?? none) as N,
    attempt: (columns.attempt ?? none) as A,
    data: (columns.data ?? none) as D,
    meta: (columns.meta ?? none) as M,
  });
}

const started = z.object({ startedAt: time }).nullable();

/** Every event that a log may hold. */
export const runEventSchema = z.discriminatedUnion('type', [
  event('run_created', {
    name: text,
    data: text.nullable(),
    meta: z.object({ seed: text, bundleHash: text.nullable() }),
  }),
  event('bundle_bound', { data: text.nullable(), meta: z.object({ bundleHash: text }) }),
  event('run_upgraded', { meta: z.object({ bundleHash: text, from: text.nullable() }) }),
  event('run_upgrade_refused', { meta: z.object({ bundleHash: text, code: text, message: text }) }),
  event('step_scheduled', { cid: count, name: text, data: text.nullable() }),
  event('step_started', { cid: count, attempt: count, meta: z.object({ reason: z.enum(['retry', 'recovered']) }) }),
  event('step_attempt_failed', {
    cid: count,
    attempt: count,
    data: text,
    meta: z.object({ retryAt: time, startedAt: time.optional(), heartbeat: text.optional() }),
  }),
  event('step_completed', { cid: count, attempt: count, data: text.nullable(), meta: started }),
  event('step_failed', { cid: count, attempt: count, data: text, meta: started }),
  event('sleep_scheduled', { cid: count, meta: z.object({ until: time }) }),
  event('sleep_completed', { cid: count, meta: z.object({ woken: z.boolean() }).nullable() }),
  event('hook_created', { cid: count, name: text, data: text.nullable() }),
  event('hook_conflicted', { cid: count, name: text, meta: z.object({ runId: text }) }),
  event('hook_received', { cid: count, data: text.nullable() }),
  event('hook_refused', { cid: count, data: text }),
  event('hook_disposed', { cid: count }),
  event('child_scheduled', {
    cid: count,
    name: text,
    data: text.nullable(),
    meta: z.object({ runId: text, seed: text }),
  }),
  event('child_refused', { cid: count, name: text, data: text }),
  event('child_completed', { cid: count, data: text.nullable() }),
  event('child_failed', { cid: count, data: text }),
  event('cancel_requested', { meta: z.object({ reason: text }).nullable() }),
  event('run_completed', { data: text.nullable() }),
  event('run_failed', { data: text }),
  event('run_cancelled', { data: text.nullable() }),
  event('run_parked', {
    meta: z.object({ code: text, message: text, details: z.record(z.string(), z.unknown()).optional() }),
  }),
  event('run_unparked', {}),
]);

/** An event as it stands in the log. */
export type RunEvent = z.infer<typeof runEventSchema>;

export type RunEventType = RunEvent['type'];

/** The event of one type: `EventOf<'step_completed'>`. */
export type EventOf<T extends RunEventType> = Extract<RunEvent, { type: T }>;

/** What makes a child: as it stands in a batch, where defaults may be left out. */
export type ChildRequest = Omit<EventOf<'child_scheduled'>, 'seq' | 'attempt' | 'data'> & { data?: string | null };

/** What null columns may be left out of when an event is written. */
type Optional<E> = { [K in keyof E as null extends E[K] ? K : never]?: E[K] } & {
  [K in keyof E as null extends E[K] ? never : K]: E[K];
};

type NewEventOf<E> = E extends { seq: number } ? Optional<Omit<E, 'seq'>> : never;

/** An event to be appended: without `seq`, which its place in the request gives it; columns that are null may be left out. */
export type NewRunEvent = NewEventOf<RunEvent>;

/** Events that end a run. Nothing follows them. */
export const TERMINAL_EVENTS = {
  run_completed: 'completed',
  run_failed: 'failed',
  run_cancelled: 'cancelled',
} as const satisfies Partial<Record<RunEventType, string>>;

/** The two events that every step writes, at once: the schema takes ten times as long, and most of a log is these. */
function everydayEvent(value: unknown): RunEvent | null {
  if (typeof value !== 'object' || value === null) return null;
  const { seq, type, at, cid, name, attempt, data, meta } = value as Record<string, unknown>;
  if (!isWhole(seq) || seq < 1 || !Number.isSafeInteger(at) || !isWhole(cid)) return null;
  if (data !== null && typeof data !== 'string') return null;
  // Written out: a spread in front takes V8 a hundred times as long.
  if (type === 'step_scheduled')
    return typeof name === 'string' && attempt === null && meta === null
      ? { seq, type, at: at as number, cid, name, attempt, data, meta }
      : null;
  if (type !== 'step_completed' || name !== null || !isWhole(attempt)) return null;
  if (meta === null) return { seq, type, at: at as number, cid, name, attempt, data, meta };
  const startedAt = (meta as { startedAt?: unknown } | undefined)?.startedAt;
  return typeof startedAt === 'number' && Number.isFinite(startedAt)
    ? { seq, type, at: at as number, cid, name, attempt, data, meta: { startedAt } }
    : null;
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/**
 * Reads an event that came from outside (a row, an exported history).
 *
 * @param value the eight fields, `meta` already parsed from JSON
 * @returns the event, or the reason why it is none
 */
export function parseEvent(value: unknown): { event: RunEvent } | { problem: string } {
  const everyday = everydayEvent(value);
  if (everyday !== null) return { event: everyday };
  const parsed = runEventSchema.safeParse(value);
  if (parsed.success) return { event: parsed.data };
  const issue = parsed.error.issues[0];
  const where = issue?.path.join('.') || 'event';
  return { problem: `${where}: ${issue?.message ?? 'not an event'}` };
}
