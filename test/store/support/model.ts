/**
 * A store so simple that its correctness can be seen: maps and arrays, one operation after the other. Property tests compare
 * real stores with it.
 */
import fc from 'fast-check';
import type { NewRunEvent } from '../../../src/store/events.ts';
import type { AppendRequest, EventStore, InboxMessage, RunStatus } from '../../../src/store/port.ts';

interface Message {
  kind: InboxMessage['kind'];
  text: string | null;
}

interface ModelRun {
  id: string;
  parent: { runId: string; cid: number } | null;
  status: RunStatus;
  owner: string | null;
  fence: number;
  wakeAt: number | null;
  /** A message waits that the run shall look at. */
  woken: boolean;
  cancelRequested: boolean;
  events: string[];
  inbox: Message[];
}

interface Model {
  runs: Map<string, ModelRun>;
  hooks: Map<string, { runId: string; cid: number; disposed: boolean }>;
}

export type Operation =
  | { do: 'create'; id: string; owner: string | undefined }
  | { do: 'claimRun'; id: string; owner: string }
  | { do: 'claim'; owner: string; now: number }
  | { do: 'release'; id: string; fence: number }
  | { do: 'deliver'; token: string; payload: string }
  | { do: 'cancel'; id: string }
  | { do: 'drain'; id: string }
  | {
      do: 'append';
      id: string;
      fence: number;
      afterSeq: number;
      events: NewRunEvent[];
      wakeAt: number | null | undefined;
    };

const root = fc.constantFrom('r1', 'r2', 'r3');
/** Runs that are made, and some that their first commands make. */
const id = fc.oneof({ arbitrary: root, weight: 3 }, fc.constantFrom('r1.2', 'r2.2', 'r1.2.2', 'r1.3'));
const owner = fc.constantFrom('a', 'b');
const token = fc.constantFrom('t', 'u');
const cid = fc.nat({ max: 3 });
const event: fc.Arbitrary<NewRunEvent> = fc.oneof(
  cid.map((cid) => ({ type: 'step_scheduled' as const, at: 1, cid, name: 's', data: null })),
  cid.map((cid) => ({ type: 'step_completed' as const, at: 1, cid, attempt: 1, data: '1' })),
  cid.map((cid) => ({ type: 'step_failed' as const, at: 1, cid, attempt: 1, data: '1' })),
  fc.record({ type: fc.constant('hook_created' as const), at: fc.constant(1), cid, name: token }),
  cid.map((cid) => ({ type: 'hook_disposed' as const, at: 1, cid })),
  // Its number is the event's, as that of a command: else two would ask for one run.
  fc.constant({ type: 'child_scheduled' as const, at: 1, cid: 0, name: 'c', meta: { runId: '', seed: 's' } }),
  fc.constant({ type: 'cancel_requested' as const, at: 1 }),
);
const ending: fc.Arbitrary<NewRunEvent> = fc.constantFrom(
  { type: 'run_completed', at: 2, data: '"x"' },
  { type: 'run_failed', at: 2, data: '"x"' },
  { type: 'run_parked', at: 2, meta: { code: 'C', message: 'm' } },
);

const append = fc.record({
  do: fc.constant('append' as const),
  id,
  // Mostly right, for otherwise nothing ever happens: numbers count back from the present one of the run.
  fence: fc.oneof({ arbitrary: fc.constant(0), weight: 9 }, { arbitrary: fc.constantFrom(-1, 1), weight: 1 }),
  afterSeq: fc.oneof({ arbitrary: fc.constant(0), weight: 9 }, { arbitrary: fc.constantFrom(-1, 1), weight: 1 }),
  events: fc
    .tuple(fc.array(event, { maxLength: 3 }), fc.option(ending, { freq: 6, nil: undefined }))
    .map(([events, last]) => (last === undefined ? events : [...events, last])),
  wakeAt: fc.option(fc.option(fc.constantFrom(0, 500), { nil: null }), { nil: undefined }),
});

/** One operation that may share its commit with others. */
export const operation: fc.Arbitrary<Operation> = fc.oneof(
  { arbitrary: append, weight: 10 },
  {
    arbitrary: fc.record({ do: fc.constant('create' as const), id: root, owner: fc.option(owner, { nil: undefined }) }),
    weight: 3,
  },
  { arbitrary: fc.record({ do: fc.constant('claimRun' as const), id, owner }), weight: 3 },
  { arbitrary: fc.record({ do: fc.constant('release' as const), id, fence: fc.nat({ max: 3 }) }), weight: 1 },
  {
    arbitrary: fc.record({ do: fc.constant('deliver' as const), token, payload: fc.constantFrom('p', 'q') }),
    weight: 2,
  },
  { arbitrary: fc.record({ do: fc.constant('cancel' as const), id }), weight: 1 },
);

/** These look before they write, so they stand alone. */
export const loneOperation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ do: fc.constant('claim' as const), owner, now: fc.constantFrom(0, 500) }),
  fc.record({ do: fc.constant('drain' as const), id }),
);

export function emptyModel(): Model {
  return { runs: new Map(), hooks: new Map() };
}

/** The true numbers of an append whose fence and number are given relative to the model's present. */
export function resolve(model: Model, operation: Operation): Operation {
  if (operation.do !== 'append') return operation;
  const run = model.runs.get(operation.id);
  const first = Math.max(0, (run?.events.length ?? 0) + operation.afterSeq) + 1;
  const events = operation.events.map((event, index): NewRunEvent => {
    if (event.type !== 'child_scheduled') return event;
    const cid = first + index;
    return { ...event, cid, meta: { ...event.meta, runId: `${operation.id}.${cid}` } };
  });
  return {
    ...operation,
    events,
    fence: (run?.fence ?? 0) + operation.fence,
    afterSeq: Math.max(0, (run?.events.length ?? 0) + operation.afterSeq),
  };
}

export function applyToModel(model: Model, operation: Operation): unknown {
  switch (operation.do) {
    case 'create': {
      if (model.runs.has(operation.id)) return { created: false };
      model.runs.set(operation.id, newRun(operation.id, operation.owner ?? null, 0, null));
      return { created: true };
    }
    case 'claimRun': {
      const run = model.runs.get(operation.id);
      if (run === undefined) return 'unknown-run';
      if (isOver(run)) return 'finished';
      if (run.owner !== null && run.owner !== operation.owner) return 'owned';
      take(run, operation.owner);
      return { fence: run.fence };
    }
    case 'claim': {
      const due = [...model.runs.values()].filter(
        (run) => run.owner === null && (run.woken || (run.wakeAt !== null && run.wakeAt <= operation.now)),
      );
      for (const run of due) take(run, operation.owner);
      return due.map((run) => run.id).sort();
    }
    case 'release': {
      const run = model.runs.get(operation.id);
      if (run === undefined || run.owner === null || run.fence !== operation.fence) return false;
      run.owner = null;
      return true;
    }
    case 'deliver': {
      const hook = model.hooks.get(operation.token);
      if (hook === undefined) return 'unknown-token';
      if (hook.disposed) return 'disposed';
      const run = model.runs.get(hook.runId) as ModelRun;
      run.inbox.push({ kind: 'hook', text: operation.payload });
      if (run.status === 'running') run.woken = true;
      return 'delivered';
    }
    case 'cancel': {
      const run = model.runs.get(operation.id);
      if (run === undefined) return 'unknown-run';
      if (isOver(run)) return 'finished';
      if (run.cancelRequested) return 'again';
      askToStop(run);
      return 'asked';
    }
    case 'drain': {
      const run = model.runs.get(operation.id);
      if (run === undefined) return 'unknown-run';
      if (isOver(run)) return 'finished';
      if (run.owner === null) return 'fenced';
      run.inbox = [];
      run.woken = false;
      return { lastSeq: run.events.length };
    }
    case 'append':
      return appendToModel(model, operation);
  }
}

function appendToModel(model: Model, request: Extract<Operation, { do: 'append' }>): unknown {
  const run = model.runs.get(request.id);
  if (run === undefined) return 'unknown-run';
  if (run.fence !== request.fence) return 'fenced';
  if (isOver(run)) return 'finished';
  if (run.owner === null) return 'fenced';
  if (run.events.length !== request.afterSeq) return 'conflict';

  const hooks = new Map([...model.hooks].map(([token, hook]) => [token, { ...hook }]));
  let conflict = false;
  for (const event of request.events) {
    if (event.type === 'hook_created') {
      const existing = hooks.get(event.name);
      if (existing !== undefined && !existing.disposed) conflict = true;
      else hooks.set(event.name, { runId: run.id, cid: event.cid, disposed: false });
    }
    if (event.type === 'hook_disposed') {
      for (const hook of hooks.values()) if (hook.runId === run.id && hook.cid === event.cid) hook.disposed = true;
    }
  }
  if (conflict) return 'hook-conflict';
  const last = request.events.at(-1)?.type;
  const ends = last === 'run_completed' || last === 'run_failed';
  if (ends && run.inbox.length > 0) return 'unread';

  model.hooks = hooks;
  run.events.push(...request.events.map(textOf));
  for (const event of request.events) {
    if (event.type === 'child_scheduled') {
      const { runId } = event.meta;
      model.runs.set(runId, newRun(runId, null, 1, { runId: run.id, cid: event.cid }));
    } else if (event.type === 'cancel_requested') {
      run.cancelRequested = true;
      for (const child of model.runs.values())
        if (child.parent?.runId === run.id && !isOver(child) && !child.cancelRequested) askToStop(child);
    }
  }
  if (request.wakeAt !== undefined) run.wakeAt = request.wakeAt;
  if (ends) {
    run.status = last === 'run_completed' ? 'completed' : 'failed';
    run.owner = null;
    run.wakeAt = null;
    for (const hook of hooks.values()) if (hook.runId === run.id) hook.disposed = true;
    const parent = run.parent && model.runs.get(run.parent.runId);
    if (parent && !isOver(parent)) {
      parent.inbox.push({ kind: 'child', text: '"x"' });
      if (parent.status === 'running') parent.woken = true;
    }
  }
  if (last === 'run_parked') {
    run.status = 'parked';
    run.owner = null;
    run.wakeAt = null;
    run.woken = run.inbox.some((message) => message.kind === 'cancel');
  }
  return { lastSeq: run.events.length };
}

function newRun(id: string, owner: string | null, wakeAt: number, parent: ModelRun['parent']): ModelRun {
  return {
    id,
    parent,
    status: owner === null ? 'pending' : 'running',
    owner,
    fence: owner === null ? 0 : 1,
    wakeAt,
    woken: false,
    cancelRequested: false,
    events: ['run_created'],
    inbox: [],
  };
}

function askToStop(run: ModelRun): void {
  run.cancelRequested = true;
  run.inbox.push({ kind: 'cancel', text: null });
  run.woken = true;
}

function isOver(run: ModelRun): boolean {
  return run.status === 'completed' || run.status === 'failed';
}

function take(run: ModelRun, owner: string): void {
  run.owner = owner;
  run.fence += 1;
  if (run.status === 'pending') run.status = 'running';
}

function textOf(event: NewRunEvent): string {
  return event.type === 'step_completed' || event.type === 'step_failed' ? `result ${event.cid}` : event.type;
}

/** Does the operation on a real store, and tells its outcome in the words of the model. */
export async function applyToStore(store: EventStore, operation: Operation): Promise<unknown> {
  switch (operation.do) {
    case 'create': {
      const base = { workflowId: 'w', seed: 's', bundleHash: null, input: null, at: 0 };
      const { created } = await store.createRun({ ...base, id: operation.id, owner: operation.owner });
      return { created };
    }
    case 'claimRun': {
      const result = await store.claimRun(operation.id, { owner: operation.owner, now: 0 });
      return result.ok ? { fence: result.run.fence } : result.reason;
    }
    case 'claim': {
      const runs = await store.claim({ owner: operation.owner, now: operation.now, limit: 10 });
      return runs.map((run) => run.id).sort();
    }
    case 'release':
      return store.release(operation.id, operation.fence);
    case 'deliver': {
      const result = await store.deliverHook(operation.token, operation.payload, 0);
      return result.ok ? 'delivered' : result.reason;
    }
    case 'cancel': {
      const result = await store.requestCancel(operation.id, { at: 0 });
      if (!result.ok) return result.reason;
      return result.messageId === null ? 'again' : 'asked';
    }
    case 'drain': {
      const { fence = 0, lastSeq = 0 } = (await store.getRun(operation.id)) ?? {};
      const consume = (await store.readInbox({ runId: operation.id })).map((message) => message.id);
      const result = await store.append({ runId: operation.id, fence, afterSeq: lastSeq, events: [], consume });
      return result.ok ? { lastSeq: result.lastSeq } : result.reason;
    }
    case 'append': {
      const { id: runId, fence, afterSeq, events } = operation;
      const request: AppendRequest = { runId, fence, afterSeq, events };
      if (operation.wakeAt !== undefined) request.wakeAt = operation.wakeAt;
      const result = await store.append(request);
      return result.ok ? { lastSeq: result.lastSeq } : result.reason;
    }
  }
}

function textOfMessage(message: InboxMessage): string | null {
  if (message.kind === 'hook') return message.payload;
  if (message.kind === 'upgrade') return message.bundleHash;
  if (message.kind === 'wake') return message.cids.join(' ');
  return message.kind === 'cancel' ? message.reason : message.data;
}

/** All that a store holds, in the shape of the model. */
export async function stateOfStore(store: EventStore): Promise<Omit<ModelRun, 'woken'>[]> {
  const { runs } = await store.listRuns();
  return Promise.all(
    runs.map(async (run) => ({
      id: run.id,
      parent: run.parent,
      status: run.status,
      owner: run.owner,
      fence: run.fence,
      wakeAt: run.wakeAt,
      cancelRequested: run.cancelRequested,
      events: (await store.readEvents(run.id)).map(textOf),
      inbox: (await store.readInbox({ runId: run.id })).map((message) => ({
        kind: message.kind,
        text: textOfMessage(message),
      })),
    })),
  );
}

/** Newest run first, as `listRuns` gives them. */
export function stateOfModel(model: Model): Omit<ModelRun, 'woken'>[] {
  return [...model.runs.values()].reverse().map(({ woken: _, ...run }) => run);
}
