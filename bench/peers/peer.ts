/**
 * What the runtimes have in common, and how each of them is measured: with the very same code, in a process of its own (`child.ts`).
 *
 * - **peer**: a runtime for durable code; pawl counts as one here.
 * - **place**: a folder and a database that nobody used before, for one process of one peer.
 * - **shape**: a form of work; the figure that it gives is the same for every peer.
 */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { median } from '../report.ts';

export interface Place {
  /** Empty, and on the same disk for all. */
  folder: string;
  /** Of an empty database, on a server whose commits survive loss of power. */
  database: string;
}

/** Runs one workflow to its end, and gives what it returned. */
export interface Peer {
  /** No-op steps one after the other; the sum of what they gave. */
  sequential(steps: number): Promise<number>;
  /** No-op steps at once; how many of them there were. */
  parallel(steps: number): Promise<number>;
}

/** Starts a peer: its workers, its server if it has one, and what its programs call. */
export type StartPeer = (place: Place) => Promise<Peer>;

/**
 * - `sequential`: a run of so many steps; milliseconds a step.
 * - `late`: the last steps of such a run; milliseconds from the start of one to the start of the next.
 * - `parallel`: a run of so many steps at once; milliseconds in total.
 * - `crowd`: so many runs of one step at once; runs a second.
 * - `one`: so many runs of one step, one after the other; the median milliseconds from start to result.
 */
export interface Shape {
  kind: 'sequential' | 'late' | 'parallel' | 'crowd' | 'one';
  count: number;
}

export interface Figure {
  value: number;
  note?: string;
}

/** Called by the no-op steps with their number: when each of them was made. */
interface Marked {
  __benchMark?: ((n: number) => void) | undefined;
}

/** The step of the peers that have no compiler. */
export async function noop(n: number): Promise<number> {
  (globalThis as Marked).__benchMark?.(n);
  return n;
}

/** Short shapes are repeated for this long at most, and so often at most. */
const REPEAT_MS = 400;
const REPEATS = 9;

/** The median of some times that a peer did the shape; once, if it takes long. */
export async function measure(peer: Peer, shape: Shape): Promise<Figure> {
  const end = performance.now() + REPEAT_MS;
  const figures: Figure[] = [];
  do figures.push(await once(peer, shape));
  while (performance.now() < end && figures.length < REPEATS);
  return { ...figures[0], value: median(figures.map(({ value }) => value)) };
}

async function once(peer: Peer, { kind, count }: Shape): Promise<Figure> {
  const sequential = async (steps: number): Promise<void> => {
    expectResult(await peer.sequential(steps), (steps * (steps - 1)) / 2);
  };
  const begun = performance.now();
  switch (kind) {
    case 'sequential':
      await sequential(count);
      return { value: (performance.now() - begun) / count };
    case 'parallel':
      expectResult(await peer.parallel(count), count);
      return { value: performance.now() - begun };
    case 'crowd':
      await Promise.all(Array.from({ length: count }, () => sequential(1)));
      return { value: (count * 1_000) / (performance.now() - begun) };
    case 'one': {
      const shots: number[] = [];
      for (let i = 0; i < count; i++) {
        const from = performance.now();
        await sequential(1);
        shots.push(performance.now() - from);
      }
      return { value: median(shots) };
    }
    case 'late': {
      const marks: number[] = [];
      const host = globalThis as Marked;
      host.__benchMark = (n) => {
        marks[n] ??= performance.now();
      };
      await sequential(count);
      host.__benchMark = undefined;
      const gaps = marks.slice(1).map((mark, i) => mark - (marks[i] as number));
      const late = median(gaps.slice(-100));
      return { value: late, note: `${(late / median(gaps.slice(9, 109))).toFixed(2)} times its 10th` };
    }
  }
}

/** So that nothing is measured that did not happen. */
function expectResult(result: unknown, expected: number): void {
  if (result !== expected) throw new Error(`the run gave ${String(result)} where ${expected} was due`);
}

/** What every peer gets before the first measure: a worker runs for days, so engines have compiled the code by then. */
export async function warmUp(peer: Peer, milliseconds: number): Promise<void> {
  const end = performance.now() + milliseconds;
  do {
    await once(peer, { kind: 'sequential', count: 10 });
    await once(peer, { kind: 'parallel', count: 10 });
    await once(peer, { kind: 'crowd', count: 10 });
  } while (performance.now() < end);
}

/** `bench/peers`, which the peers are installed in; they are no part of the project's own installation. */
export const requirePeer = createRequire(new URL('./package.json', import.meta.url));

export async function importPeer<T>(name: string): Promise<T> {
  return (await import(pathToFileURL(requirePeer.resolve(name)).href)) as T;
}
