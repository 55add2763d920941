/**
 * Stops workflow code that never returns.
 *
 * `vm`'s own timeout starts a thread for every call, which costs as much as a commit. So one thread watches all calls: it sees a
 * number in shared memory grow, and when the same call has run for too long, it asks the inspector to terminate what the main
 * thread executes. Termination unwinds everything without running `catch` or `finally`: see `JobQueue`, which goes on afterwards.
 *
 * Where there is no inspector, or the runtime itself is in a worker thread, `available` is false, and the realm uses `vm`'s timeout.
 */
import { isMainThread, Worker } from 'node:worker_threads';
import { hooksCanBeSuspended } from './promise-hooks.ts';

/** Cells of the shared memory. */
const TURN = 0;
const LIMIT = 1;

/**
 * The thread marks the turn that it is about to stop by making its number negative. From then on the main thread must not leave
 * workflow code (`unwatch` waits): the termination would hit something else.
 */
const PROGRAM = `
const { parentPort, workerData: cells } = require('node:worker_threads');
const inspector = require('node:inspector');
let turn = 0, since = 0, session;
setInterval(() => {
  const current = Atomics.load(cells, ${TURN});
  if (current < 0) return;
  if (session !== undefined) {
    session.disconnect();
    session = undefined;
  }
  if (current === 0 || current !== turn) { turn = current; since = performance.now(); return; }
  if (performance.now() - since < Atomics.load(cells, ${LIMIT})) return;
  since = performance.now();
  try {
    const next = new inspector.Session();
    next.connectToMainThread();
    session = next;
  } catch { return; }
  if (Atomics.compareExchange(cells, ${TURN}, current, -current) !== current) return;
  // A process that ends with a session prints that it waits for a debugger: first the session goes, then the main thread goes on.
  session.post('Runtime.terminateExecution', () => setImmediate(() => {
    session?.disconnect();
    session = undefined;
    parentPort.postMessage(current);
  }));
}, 50);
`;

let cells: Int32Array | undefined;
let turns = 0;
let debugged = false;

const onStop = new Set<() => void>();

/** Whether calls can be watched by the thread. */
export function watchdogAvailable(): boolean {
  return isMainThread && hasInspector() && hooksCanBeSuspended();
}

function hasInspector(): boolean {
  return Boolean((process as { features?: { inspector?: boolean } }).features?.inspector);
}

/** Someone who debugs workflow code stops it for as long as they like. */
function isDebugged(): boolean {
  return process.execArgv.some((argument) => argument.startsWith('--inspect'));
}

/** Starts the thread, once. Its presence does not keep the process alive. */
export function startWatchdog(): void {
  if (cells !== undefined || debugged || !watchdogAvailable()) return;
  debugged = isDebugged();
  if (debugged) return;
  cells = new Int32Array(new SharedArrayBuffer(8));
  const thread = new Worker(PROGRAM, { eval: true, workerData: cells, execArgv: [], env: {} });
  thread.on('message', () => {
    for (const listener of onStop) listener();
  });
  // A thread that dies takes the protection with it, and nothing else.
  thread.on('error', () => {});
  // Last: a listener for messages keeps the process alive.
  thread.unref();
}

/** Calls the listener some time after a termination, when the main thread has time again. */
export function whenStopped(listener: () => void): void {
  onStop.add(listener);
}

/** A call into workflow code begins: from now on it has `limit` ms. */
export function watch(limit: number): void {
  if (cells === undefined) return;
  turns = turns === 0x7fffffff ? 1 : turns + 1;
  cells[LIMIT] = limit;
  Atomics.store(cells, TURN, turns);
}

/** The call has ended. */
export function unwatch(): void {
  if (cells === undefined || Atomics.compareExchange(cells, TURN, turns, 0) === turns) return;
  // Too late: the termination is on its way, and hits this loop.
  while (Atomics.load(cells, TURN) === -turns);
}

/** The call was terminated, and its turn has been unwound. */
export function unwatchTerminated(): void {
  if (cells !== undefined) Atomics.store(cells, TURN, 0);
}
