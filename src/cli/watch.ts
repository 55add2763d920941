import { lstatSync, realpathSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import type { ExitCode } from './command.ts';
import type { Output } from './output.ts';

export interface WatchOptions {
  /** Absolute. */
  root: string;
  /** Folders below the root whose changes do not count, besides `node_modules` and dot folders. */
  ignored: readonly string[];
  run: () => Promise<ExitCode>;
  out: Output;
}

/** Editors write a file in several steps, and people save several files at once. */
const QUIET_MS = 30;

/**
 * Runs once, and again whenever a file below the root changes, until the process is interrupted (Ctrl-C).
 *
 * @returns the exit code of the last run
 */
export async function watchFiles({ root, ignored, run, out }: WatchOptions): Promise<ExitCode> {
  const { watch } = await import('chokidar');
  const { printError } = await import('./output.ts');
  let code: ExitCode = 0;
  let timer: NodeJS.Timeout | undefined;
  let queue = Promise.resolve();

  const again = async (): Promise<void> => {
    try {
      code = await run();
    } catch (error) {
      printError(error, out);
      code = 2;
    }
    out.note('watching for changes, Ctrl-C ends');
  };
  const enqueue = (): void => {
    queue = queue.then(again);
  };
  // Editors that show the findings take the old ones away at this line.
  const changed = (): void => {
    queue = queue.then(() => out.note('files changed'));
    enqueue();
  };
  const skip = (path: string): boolean => {
    const inside = relative(root, path).split(/[\\/]/);
    if (inside[0] === '') return false;
    return (
      inside.some((piece) => piece === 'node_modules' || piece.startsWith('.')) ||
      ignored.includes(inside.join('/')) ||
      leadsBack(path)
    );
  };
  const watcher = watch(root, { ignored: skip, ignoreInitial: true });
  watcher.on('all', () => {
    clearTimeout(timer);
    timer = setTimeout(changed, QUIET_MS);
  });
  await new Promise<void>((ready) => watcher.once('ready', ready));
  enqueue();
  await new Promise<void>((stop) => {
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
  });
  clearTimeout(timer);
  await watcher.close();
  await queue;
  return code;
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
