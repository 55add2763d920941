import { type Stats, statSync } from 'node:fs';
import { PawlError } from '../errors.ts';

/** By what it is told, without reading, whether files and directories are as they were. */

/** The path on disk of a file relative to the root. */
export function absolute(root: string, file: string): string {
  return /^(?:\/|[A-Za-z]:)/.test(file) ? file : `${root}/${file}`;
}

/** Times and size of a file; null where there is none. */
export function stampOf(path: string): string | null {
  try {
    const { mtimeMs, ctimeMs, size } = statSync(path);
    return `${mtimeMs} ${ctimeMs} ${size}`;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw unreadable(path, error);
  }
}

/** What is at a path; undefined for nothing, and for what cannot be looked at, such as links that lead in a circle. */
export function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** The error for a file or directory that is there but cannot be read. */
export function unreadable(path: string, error: unknown, what: 'file' | 'directory' = 'file'): PawlError {
  const { code } = error as NodeJS.ErrnoException;
  const reasons: Record<string, string> = {
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    EISDIR: 'it is a directory',
    ELOOP: 'its links lead in a circle',
  };
  const reason = reasons[code ?? ''] ?? (error as Error).message;
  return new PawlError('PAWL_FILE_UNREADABLE', `The ${what} cannot be read: ${reason}.`, {
    place: path,
    remedy: 'Make it readable, or leave it out of `entries`.',
    cause: error,
  });
}

/** The time of a directory, which changes with the names in it; `''` where there is none. */
export function stampOfDirectory(path: string): string {
  try {
    return String(statSync(path).mtimeMs);
  } catch {
    return '';
  }
}

/** The marks of the clock by which file systems write times, ms: two seconds on some. */
const COARSE = 2_500;
const FINE = 100;

/**
 * Whether a stamp can be relied on: a file that was read just after it was written may have been written once more without its times
 * telling.
 *
 * @param readAt - before the text was read, ms since the epoch; 0 when it was reliable already
 */
export function isSettled(stamp: string, readAt: number): boolean {
  const [modified = Number.NaN, changed = Number.NaN] = stamp.split(' ').map(Number);
  const age = readAt - Math.max(modified, changed);
  return readAt === 0 || age > (modified % 1000 === 0 ? COARSE : FINE);
}
