import { parse } from '@lukeed/ms';
import { PawlError } from '../errors.ts';

/** Milliseconds, or a number with a unit: `'10s'`, `'5 minutes'`, `'2 days'`, `'1w'`. */
export type Duration = number | string;

const EXAMPLES = "Write milliseconds or a number with a unit, such as 1500, '10s', '5 minutes', '2 days'.";

/**
 * Milliseconds of a duration.
 *
 * @throws PawlError `PAWL_DURATION` when it is none: not finite, negative, or of an unknown unit.
 */
export function toMilliseconds(duration: Duration): number {
  const value = typeof duration === 'string' ? parseText(duration) : duration;
  if (typeof value !== 'number' || !(value >= 0) || value === Infinity) {
    throw new PawlError('PAWL_DURATION', `${show(duration)} is not a duration.`, { remedy: EXAMPLES });
  }
  return Math.ceil(value);
}

/** The time, ms since the epoch, that lies a duration after `now`, or that a Date names. */
export function toTime(when: Duration | Date, now: number): number {
  if (typeof when !== 'object') return now + toMilliseconds(when);
  const time = isDate(when) ? when.getTime() : Number.NaN;
  if (!Number.isFinite(time)) {
    throw new PawlError('PAWL_DURATION', `${show(when)} is not a time.`, { remedy: `Pass a valid Date. ${EXAMPLES}` });
  }
  return time;
}

function parseText(text: string): number | undefined {
  const [, amount, unit = ''] = /^\s*(\d*\.?\d+)\s*([a-z]*)\s*$/i.exec(text) ?? [];
  if (amount === undefined) return undefined;
  // The parser takes zero for no number.
  const one = parse(`1${unit}`);
  return one === undefined ? undefined : one * Number(amount);
}

/** Dates come from several realms. */
function isDate(value: unknown): value is Date {
  return Object.prototype.toString.call(value) === '[object Date]';
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return isDate(value) ? 'An invalid Date' : String(value);
}
