/**
 * Processes that tests spawn run from dist/, so it is built first, unless it is newer than every source.
 * Runs that start at the same time wait for the one that builds.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { globSync } from 'tinyglobby';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const STAMP = join(ROOT, 'dist', '.sources');
const LOCK = join(ROOT, 'node_modules', '.cache', 'pawl-dist.lock');

/** What the build was made of: files with their sizes and times. */
function sourceState(): string {
  const files = globSync(['src/**/*.ts', 'plugins/**/*.ts', '*.config.ts', '*.plugin.ts', 'package.json'], {
    cwd: ROOT,
  });
  return files
    .sort()
    .map((file) => {
      const { mtimeMs, size } = statSync(join(ROOT, file));
      return `${file} ${mtimeMs} ${size}`;
    })
    .join('\n');
}

function isFresh(): boolean {
  try {
    return readFileSync(STAMP, 'utf8') === sourceState();
  } catch {
    return false;
  }
}

function lock(): boolean {
  mkdirSync(join(LOCK, '..'), { recursive: true });
  try {
    mkdirSync(LOCK);
    return true;
  } catch {
    // A builder that died leaves its lock; no build takes a minute.
    if (Date.now() - (statSync(LOCK, { throwIfNoEntry: false })?.mtimeMs ?? 0) > 60_000)
      rmSync(LOCK, { recursive: true, force: true });
    return false;
  }
}

/** Builds dist/ if a source changed since. */
export async function ensureDist(): Promise<void> {
  while (!isFresh()) {
    if (!lock()) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      continue;
    }
    try {
      const state = sourceState();
      await promisify(execFile)('npm', ['run', '--silent', 'build:js'], { cwd: ROOT });
      writeFileSync(STAMP, state);
      if (state !== sourceState()) return;
    } catch (error) {
      const output = String((error as { stderr?: Buffer }).stderr ?? error);
      if (process.env.CI || process.env.npm_lifecycle_event === 'test')
        throw new Error(`dist/ did not build:\n${output}`, { cause: error });
      process.stderr.write(`dist/ is old, it did not build:\n${output}\n`);
      return;
    } finally {
      rmSync(LOCK, { recursive: true, force: true });
    }
  }
}
