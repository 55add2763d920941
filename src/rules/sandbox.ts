import type { Use } from '../compiler/facts.ts';
import { ioEnd } from './io.ts';
import type { Reference } from './program.ts';

/**
 * What workflow code does not have besides I/O, as data. The runtime decides: `Date`, `Math.random`, `crypto.randomUUID`,
 * `performance.now`, `Intl` and the `toLocale…` methods are the run's own in the sandbox and answer alike in each replay
 * (`src/runtime/realm/globals.ts`); they are no findings.
 */

/** The rule that speaks of it; each global has one. */
export type LackKind = 'nondeterministic' | 'timer' | 'environment' | 'host';

export interface Lack {
  kind: LackKind;
  /** `crypto.subtle.digest`. */
  name: string;
  /** Second half of the message: why it cannot be in workflow code. */
  because: string;
  remedy: string;
}

const STEP = "Do it in a step, an async function that starts with 'use step', and return the result.";

const TIMERS = new Set([
  'setTimeout',
  'setInterval',
  'setImmediate',
  'requestAnimationFrame',
  'requestIdleCallback',
  'scheduler.wait',
  'scheduler.postTask',
  'scheduler.yield',
  'process.nextTick',
  'AbortSignal.timeout',
]);

/** Where to turn instead of a timer, where that is not `sleep`. */
const TIMER_REMEDIES: Record<string, string> = {
  setImmediate: 'Await something durable, or call the function.',
  'process.nextTick': 'Await something durable, or call the function.',
  'AbortSignal.timeout': 'Race the work against `sleep`, or give the step a `timeout`.',
};

/** Of `process`: what is another value each time that it is asked for. */
const MEASURES = new Set([
  'hrtime',
  'uptime',
  'memoryUsage',
  'cpuUsage',
  'resourceUsage',
  'threadCpuUsage',
  'constrainedMemory',
  'availableMemory',
  'getActiveResourcesInfo',
]);

/** What the sandbox has of `performance`; the clock is that of the run. */
const PERFORMANCE = new Set(['now', 'timeOrigin', 'mark', 'measure']);

/** Of `import.meta`: what tells about the place of the module. `import.meta.hot` is asked for where it is absent, too. */
const MODULE_PLACE = new Set(['env', 'url', 'dirname', 'filename', 'main', 'resolve', 'dir', 'file', 'path']);

const HOST_CLASSES: Record<string, string> = {
  WeakRef: 'what it gives depends on when the host collects garbage',
  FinalizationRegistry: 'it calls back when the host collects garbage',
  SharedArrayBuffer: 'memory that is shared with other threads changes by itself',
};

const GENERATED = 'the sandbox lets no code be made out of text, which could be another one in the next replay';

/** What a use takes that the sandbox does not have; null where it has it, and where the use is I/O (`ioEnd`). */
export function lackEnd(use: Use, reference: Reference): Lack | null {
  if (reference.kind !== 'global' || use.access === 'write' || use.guarded === 'typeof') return null;
  const { path } = reference;
  const own = /^(?:call|apply|bind)$/.test(path.at(-1) ?? '') ? path.slice(0, -1) : path;
  if (ioEnd(use, reference)) return null;
  return timer(own) ?? measured(own, use) ?? environment(own) ?? host(own, use);
}

function timer(path: readonly string[]): Lack | null {
  const name = path.join('.');
  if (!TIMERS.has(name)) return null;
  return {
    kind: 'timer',
    name,
    because: 'a timer of the process is gone after a crash, and a replay would not wait the same; the sandbox has none',
    remedy: TIMER_REMEDIES[name] ?? "Use `await sleep(duration)` of 'pawl', which is recorded and survives restarts.",
  };
}

function measured(path: readonly string[], { access }: Use): Lack | null {
  const [head, member = ''] = path;
  const name = path.join('.');
  const lack = (because: string, remedy: string): Lack => ({ kind: 'nondeterministic', name, because, remedy });
  if (head === 'crypto' && member === 'subtle')
    return lack('its promises are settled by the host, at times that no replay can repeat', STEP);
  if (head === 'process' && MEASURES.has(member))
    return lack(
      'it measures the process, and a replay runs in another one',
      "Use `Date.now()` or `performance.now()`, which are the run's own, or measure in a step.",
    );
  if (head === 'performance' && access === 'call' && !PERFORMANCE.has(member))
    return lack(
      'it measures the process, and a replay runs in another one',
      'Use `performance.now()`, or do it in a step.',
    );
  if (head === 'Temporal' && member === 'Now')
    return lack('it asks the clock of the machine', "Use `Date.now()`, which is the run's own.");
  return null;
}

function environment(path: readonly string[]): Lack | null {
  const [head = '', member = ''] = path;
  const name = path.slice(0, 3).join('.');
  const found =
    (head === 'process' && !(member === 'env' && path[2] === 'NODE_ENV')) ||
    (head === 'import.meta' && MODULE_PLACE.has(member)) ||
    ((head === 'navigator' || head === 'Deno' || head === 'Bun') && path.length > 1) ||
    head === '__dirname' ||
    head === '__filename';
  if (!found) return null;
  return {
    kind: 'environment',
    name,
    because: 'a replay may run on another machine, after another deploy; the sandbox knows neither of them',
    remedy: 'Pass the value as an argument of the workflow, or read it in a step and return it.',
  };
}

function host(path: readonly string[], { access }: Use): Lack | null {
  const [head = ''] = path;
  const name = path.join('.');
  const lack = (because: string, remedy = STEP): Lack => ({ kind: 'host', name, because, remedy });
  if (access === 'new' && path.length === 1 && Object.hasOwn(HOST_CLASSES, head))
    return lack(HOST_CLASSES[head] as string, 'Hold the value itself, or do it in a step.');
  if (name === 'eval') return lack(GENERATED);
  if (name === 'Function' && access !== 'read') return lack(GENERATED);
  if (head === 'Atomics' && access === 'call')
    return lack('memory that is shared with other threads changes by itself');
  if (head === 'WebAssembly' && access !== 'read') return lack('the sandbox compiles no WebAssembly');
  return null;
}
