import { PawlError, type PawlErrorOptions } from '../errors.ts';

/**
 * What can be wrong with a store, and what to do about it. The remedy stands here, once per code, unless the place
 * where the error arises knows a better one.
 */
export const STORE_ERRORS = {
  PAWL_STORE_URL: 'Write the store as sqlite:PATH or sqlite::memory:.',
  PAWL_STORE_UNSUPPORTED: 'Use sqlite:PATH, sqlite::memory: or postgres://HOST/DATABASE.',
  PAWL_STORE_MISSING: 'Check the path, or start a run first: that makes the store.',
  PAWL_STORE_DIRECTORY: 'Name a file, for example sqlite:.pawl/pawl.db.',
  PAWL_STORE_OPEN: 'Check that the path exists and that this user may read and write it.',
  PAWL_STORE_CONNECTION:
    'Check the host, the port and that the server runs; everything that was acknowledged is kept, and pawl tries again.',
  PAWL_STORE_LOGIN: 'Check the user and the password of the store URL.',
  PAWL_STORE_READONLY: 'Give this user write access to the file and to its directory, or use another place.',
  PAWL_STORE_LOCKED:
    'Find the program that holds the file (a database browser with an open transaction, or a pawl process that was stopped, with Ctrl-Z for example: `fuser FILE` names it) and end it; then try again.',
  PAWL_STORE_FULL: 'Make room on the disk and start again: everything that was acknowledged is kept.',
  PAWL_STORE_CORRUPT:
    'Keep a copy of the file, then restore a backup or rescue what can be read with: sqlite3 FILE .recover',
  PAWL_STORE_FOREIGN: 'Name another file: this one belongs to another program and was not touched.',
  PAWL_STORE_NEWER:
    'Update pawl to the version that wrote the store, or use another store. Nothing is damaged: a newer pawl goes on with its runs.',
  PAWL_STORE_IO: 'Check the disk and the system log, then start again: everything that was acknowledged is kept.',
  PAWL_STORE_RUN_TOO_LONG: 'Let a run that goes on for ever start another one from time to time, and end.',
  PAWL_STORE_STREAM_TOO_LONG: 'Write larger chunks, or several streams (`getWritable({ namespace })`).',
  PAWL_STORE_OWNER: 'Register the owner, under a new name when its lease was lost, before it claims runs.',
  PAWL_STORE_MISUSE: 'This is a defect of the program that calls the store.',
  PAWL_STORE_CLOSED: 'Open the store again.',
} as const satisfies Record<string, string>;

export type StoreErrorCode = keyof typeof STORE_ERRORS;

/**
 * A store that cannot do its work: which one (`place`), why (`message`), what to do (`remedy`).
 *
 * @example
 * try {
 *   store = await openStore('sqlite:/readonly/pawl.db');
 * } catch (error) {
 *   if (error instanceof StoreError && error.code === 'PAWL_STORE_READONLY') …
 * }
 */
export class StoreError extends PawlError {
  override readonly name = 'StoreError';
  declare readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options: PawlErrorOptions = {}) {
    super(code, message, { remedy: STORE_ERRORS[code], ...options });
  }
}
