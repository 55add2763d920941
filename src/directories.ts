import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a directory, and those above it that are missing. Node's own `recursive` never returns where a directory is there that
 * refuses to hold another with the wrong error, as `/proc` does.
 *
 * @param path - absolute
 * @throws The system's error; one with code `ENOTDIR` where a file stands in the way.
 */
export function makeDirectory(path: string): void {
  const missing: string[] = [];
  for (let folder = path; !isDirectory(folder); folder = dirname(folder)) missing.push(folder);
  for (const folder of missing.reverse()) {
    try {
      mkdirSync(folder);
    } catch (error) {
      // Another process may have been faster.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !isDirectory(folder)) throw error;
    }
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
