/** What an error of pawl tells besides its message. */
export interface PawlErrorOptions {
  /** What to do about it, one sentence. */
  remedy?: string;
  /** Where: a file, `file:line:column`, a store URL, a run id. */
  place?: string;
  /** Plain data for programs. */
  details?: unknown;
  cause?: unknown;
}

/**
 * An error that a person is meant to read: what, where, why, and the remedy.
 *
 * @example
 * throw new PawlError('PAWL_STORE_LOCKED', 'Another process writes to the store.', {
 *   place: '.pawl/pawl.db',
 *   remedy: 'Stop the other worker.',
 * });
 */
export class PawlError extends Error {
  override readonly name: string = 'PawlError';
  /** Stable, `PAWL_` and words: `PAWL_STORE_LOCKED`. */
  readonly code: string;
  readonly remedy?: string;
  readonly place?: string;
  readonly details?: unknown;

  constructor(code: string, message: string, options: PawlErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.remedy = options.remedy;
    this.place = options.place;
    this.details = options.details;
  }
}
