/**
 * Errors that steps and workflows throw to say what shall happen. They exist in several copies (step bundle, realm, app), so
 * they are told by a brand and not by `instanceof`.
 */
import type { Duration } from './duration.ts';

/** On errors of ours: what the runtime shall make of them. */
export const ERROR_BRAND: unique symbol = Symbol.for('pawl.error');

export type ErrorBrand = 'fatal' | 'retryable' | 'cancelled';

/** The brand of an error; errors of the same names from other SDKs count. What was thrown may be anything: never throws. */
export function brandOf(error: unknown): ErrorBrand | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  try {
    return readBrand(error);
  } catch {
    return undefined;
  }
}

function readBrand(error: object): ErrorBrand | undefined {
  const brand = (error as { [ERROR_BRAND]?: unknown })[ERROR_BRAND];
  if (brand === 'fatal' || brand === 'retryable' || brand === 'cancelled') return brand;
  const name = (error as { name?: unknown }).name;
  if (name === 'FatalError') return 'fatal';
  if (name === 'RetryableError') return 'retryable';
  return undefined;
}

function define(prototype: Error, name: string, brand: ErrorBrand): void {
  Object.defineProperty(prototype, 'name', { value: name, writable: true, configurable: true });
  Object.defineProperty(prototype, ERROR_BRAND, { value: brand });
}

/**
 * Thrown in a step: stops it for good. No further attempt is made; the workflow gets this error.
 *
 * @example
 * if (response.status === 404) throw new FatalError(`No customer ${id}`);
 */
export class FatalError extends Error {
  /** Always true; for code that knows other SDKs' errors. */
  declare readonly fatal: true;

  /** Whether a value is a `FatalError`, of whichever copy of pawl. */
  static is(value: unknown): value is FatalError {
    return brandOf(value) === 'fatal';
  }

  static {
    define(FatalError.prototype, 'FatalError', 'fatal');
    Object.defineProperty(FatalError.prototype, 'fatal', { value: true });
  }
}

export interface RetryableErrorOptions extends ErrorOptions {
  /** When to try again: ms from now, a duration such as `'30s'`, or a time. */
  retryAfter?: Duration | Date;
}

/**
 * Thrown in a step: try again, at the time that it names. It counts as a failed attempt.
 *
 * @example
 * throw new RetryableError('Rate limited', { retryAfter: '30s' });
 */
export class RetryableError extends Error {
  readonly retryAfter?: Duration | Date;

  constructor(message?: string | RetryableErrorOptions, options?: RetryableErrorOptions) {
    const settings = typeof message === 'object' ? message : (options ?? {});
    super(
      typeof message === 'string' ? message : 'Try again later',
      'cause' in settings ? { cause: settings.cause } : undefined,
    );
    this.retryAfter = settings.retryAfter;
  }

  /** Whether a value is a `RetryableError`, of whichever copy of pawl. */
  static is(value: unknown): value is RetryableError {
    return brandOf(value) === 'retryable';
  }

  static {
    define(RetryableError.prototype, 'RetryableError', 'retryable');
  }
}

/**
 * What a workflow's pending durable calls reject with when its run is cancelled, and the reason of a step's aborted `signal`.
 * A workflow may catch it, compensate (durable calls work as before), and let it escape: then the run is `cancelled`.
 *
 * @example
 * try {
 *   await ship(order);
 * } catch (error) {
 *   await refund(order);
 *   throw error;
 * }
 */
export class CancelledError extends Error {
  constructor(message = 'The run was cancelled', options?: ErrorOptions) {
    super(message, options);
  }

  /** Whether a value is a `CancelledError`, of whichever copy of pawl. */
  static is(value: unknown): value is CancelledError {
    return brandOf(value) === 'cancelled';
  }

  static {
    define(CancelledError.prototype, 'CancelledError', 'cancelled');
  }
}
