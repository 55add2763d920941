import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll } from 'vitest';
import { ROOT } from '../../support/dist.ts';

/** A bundle of its own, so that store tests need no build of the whole package; inside the root, to find its packages. */
const CHILD = join(ROOT, 'node_modules', '.cache', 'pawl-store', `child-${process.pid}.mjs`);

const running = new Set<ChildProcess>();

beforeAll(async () => {
  const entry = fileURLToPath(new URL('./child.ts', import.meta.url));
  await build({
    entryPoints: [entry],
    outfile: CHILD,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
  });
});

afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(CHILD, { force: true });
});

export interface Child {
  process: ChildProcess;
  /** Its lines so far. */
  lines: string[];
  /** Resolves when it has printed so many lines, or ended. */
  printed(count: number): Promise<void>;
  /** Resolves when it has ended, and all that it printed was read. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; errors: string }>;
}

/** Starts a process that does `mode` (see child.ts). */
export function spawnChild(mode: string, url: string, name: string, options: SpawnOptions = {}): Child {
  const child = spawn(process.execPath, [CHILD, mode, url, name], { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  const lines: string[] = [];
  let errors = '';
  let over = false;
  let waiting: { count: number; resolve: () => void }[] = [];
  const wake = () => {
    for (const one of waiting) if (over || lines.length >= one.count) one.resolve();
    waiting = waiting.filter((one) => !over && lines.length < one.count);
  };
  const reader = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  reader.on('line', (line) => {
    lines.push(line);
    wake();
  });
  child.stderr?.on('data', (chunk) => {
    errors += String(chunk);
  });
  const read = new Promise<void>((resolve) => reader.on('close', resolve));
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.on('close', (code, signal) => {
      over = true;
      running.delete(child);
      wake();
      resolve({ code, signal });
    });
  });
  return {
    process: child,
    lines,
    printed: (count) =>
      new Promise((resolve) => {
        waiting.push({ count, resolve });
        wake();
      }),
    ended: Promise.all([exited, read]).then(([exit]) => ({ ...exit, errors })),
  };
}
