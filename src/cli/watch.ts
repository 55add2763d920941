import { fstatSync, lstatSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { ExitCode } from './command.ts';
import type { Output } from './output.ts';
import { Rounds } from './rounds.ts';
import { SeenFiles } from './seen-files.ts';
import { stampsOf } from './wanted-packages.ts';

export interface WatchOptions {
  /** Absolute. */
  root: string;
  /** Folders below the root whose changes do not count, besides `node_modules` and dot folders. */
  ignored: readonly string[];
  run: () => Promise<ExitCode>;
  /** Absolute paths outside of what is watched that the last run would look at if they were there. Few: they are asked for again and again. */
  wanted?: () => readonly string[];
  /** The text of a file as the last run saw it, by its absolute path. */
  source?: (path: string) => string | null;
  out: Output;
}

/**
 * Editors write a file in several steps, and people save several files at once. Longer than the 50 ms for which chokidar holds back
 * further changes of a file: none of them is missed by a check that has begun meanwhile.
 */
const QUIET_MS = 60;

/** How often it is looked whether what is wanted has come. */
const WANTED_MS = 500;

/**
 * Runs once, and again whenever the text of a file below the root changes, until the process is interrupted (Ctrl-C).
 *
 * @returns the exit code of the last run
 */
export async function watchFiles({ root, ignored, run, wanted, source, out }: WatchOptions): Promise<ExitCode> {
  const { watch } = await import('chokidar');
  const { printError } = await import('./output.ts');
  let code: ExitCode = 0;
  let isFirst = true;
  const seen = new SeenFiles();
  const began = Date.now();
  /** What the last run wanted, as it was before that. */
  let places: readonly string[] = [];
  let stamps = '';

  const rounds = new Rounds(async () => {
    const now = stampsOf(places);
    const hasCome = now !== stamps;
    stamps = now;
    // All that was noted is looked at, whatever else has come.
    if (!seen.differ() && !hasCome && !isFirst) return;
    // Editors that show the findings take the old ones away at this line.
    if (!isFirst) out.note('files changed');
    try {
      code = await run();
    } catch (error) {
      printError(error, out);
      code = 2;
    }
    if (source) seen.correct(source);
    const next = wanted?.() ?? [];
    if (next.join() !== places.join()) stamps = stampsOf(next);
    places = next;
    if (isFirst) seen.take(pathsIn(watcher.getWatched()), began);
    isFirst = false;
    out.note('watching for changes, Ctrl-C ends');
  }, QUIET_MS);
  const skip = (path: string): boolean => {
    const inside = relative(root, path).split(/[\\/]/);
    if (inside[0] === '') return false;
    return (
      inside.some((piece) => piece === 'node_modules' || piece.startsWith('.')) ||
      ignored.includes(inside.join('/')) ||
      leadsBack(path)
    );
  };
  // Not `atomic`: it tells of a file that went away after 100 ms, as if that were another change.
  const watcher = watch(root, { ignored: skip, ignoreInitial: true, atomic: false });
  watcher.on('all', (event, path) => {
    const isWaitedFor = wanted === undefined || places.length > 0;
    if (!seen.concerns(event, path, isWaitedFor) || (event === 'change' && isOwnOutput(path))) return;
    seen.note(path);
    rounds.changed();
  });
  await new Promise<void>((ready) => watcher.once('ready', ready));
  rounds.begin();
  const poll = setInterval(() => {
    if (places.length > 0 && stampsOf(places) !== stamps) rounds.changed();
  }, WANTED_MS);
  await new Promise<void>((stop) => {
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
  });
  clearInterval(poll);
  await watcher.close();
  await rounds.end();
  return code;
}

/** All that is watched, with its path. */
function pathsIn(watched: Record<string, string[]>): string[] {
  return Object.entries(watched).flatMap(([folder, names]) => names.map((name) => join(folder, name)));
}

/** Whether a file is what this process writes to: `pawl check --watch --format json > findings.json` would never come to rest. */
function isOwnOutput(path: string): boolean {
  try {
    const { dev, ino } = statSync(path);
    return [1, 2].map((stream) => fstatSync(stream)).some((stats) => stats.dev === dev && stats.ino === ino);
  } catch {
    // It is gone, or there is no such stream.
    return false;
  }
}

/** Whether a path is a link to a folder that the way to it came through, which has no end, or to nothing. */
function leadsBack(path: string): boolean {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return false;
  try {
    const target = realpathSync(path);
    for (let folder = dirname(path); ; folder = dirname(folder)) {
      if (realpathSync(folder) === target) return true;
      if (dirname(folder) === folder) return false;
    }
  } catch {
    return true;
  }
}
