/**
 * `Date` in workflow code: the time is that of the event being processed, the time zone is UTC, the locale `en-US`.
 * The realm's own prototype is changed in place, so that dates made by the language itself behave the same.
 */
import { currentRun } from './run.ts';

const Native = Date;
const proto = Native.prototype as unknown as Record<string, (...args: unknown[]) => unknown>;

const FIELDS = ['FullYear', 'Month', 'Date', 'Day', 'Hours', 'Minutes', 'Seconds', 'Milliseconds'];
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `new Date()`, `Date()`, `Date.now()`, … for the current run. */
export function makeDate(): DateConstructor {
  function VirtualDate(...args: unknown[]): unknown {
    if (new.target === undefined) return new Native(currentRun().now).toString();
    return Reflect.construct(Native, [timeOf(args)], new.target);
  }
  const statics = { now: () => currentRun().now, parse, UTC: Native.UTC };
  for (const [name, value] of Object.entries(statics)) define(VirtualDate, name, value);
  Object.defineProperty(VirtualDate, 'prototype', { value: proto, writable: false });
  Object.defineProperty(VirtualDate, 'name', { value: 'Date', configurable: true });
  Object.defineProperty(VirtualDate, 'length', { value: 7, configurable: true });
  define(proto, 'constructor', VirtualDate);
  repairPrototype();
  return VirtualDate as unknown as DateConstructor;
}

function timeOf(args: unknown[]): number {
  if (args.length === 0) return currentRun().now;
  if (args.length > 1) return Reflect.apply(Native.UTC, undefined, args);
  const [value] = args;
  const primitive = typeof value === 'object' && value !== null ? toPrimitive(value) : value;
  return typeof primitive === 'string' ? parse(primitive) : Number(primitive);
}

const getTime = Native.prototype.getTime;

function toPrimitive(value: object): unknown {
  try {
    return Reflect.apply(getTime, value, []);
  } catch {
    // Not a Date: as the language converts objects, without a preferred type.
  }
  const exotic = (value as { [Symbol.toPrimitive]?: (hint: string) => unknown })[Symbol.toPrimitive];
  if (exotic) return Reflect.apply(exotic, value, ['default']);
  const own = value.valueOf();
  return typeof own === 'object' && own !== null ? String(value) : own;
}

/** A text with a zone of its own means the same everywhere; one without would be taken for the host's local time. */
function parse(input: unknown): number {
  const text = String(input);
  if (/^[+-]?\d{4,6}(-\d\d){0,2}$/.test(text)) return Native.parse(text);
  if (/(?:[zZ]|[+-]\d\d:?\d\d|\b(?:GMT|UTC?|[ECMP][SD]T)\b.*)\s*(?:\([^)]*\))?\s*$/.test(text))
    return Native.parse(text);
  if (/^[+-]?\d{4,6}-\d\d(-\d\d)?T/.test(text)) return Native.parse(`${text}Z`);
  return Native.parse(`${text} UTC`);
}

function repairPrototype(): void {
  for (const field of FIELDS) {
    define(proto, `get${field}`, proto[`getUTC${field}`]);
    if (field !== 'Day') define(proto, `set${field}`, proto[`setUTC${field}`]);
  }
  const methods: Record<string, (...args: never[]) => unknown> & ThisType<Date> = {
    getTimezoneOffset() {
      return Number.isNaN(this.getTime()) ? Number.NaN : 0;
    },
    getYear() {
      return this.getUTCFullYear() - 1900;
    },
    setYear(year: number) {
      const value = Math.trunc(Number(year));
      return this.setUTCFullYear(value >= 0 && value <= 99 ? 1900 + value : value);
    },
    toDateString() {
      return isNaN(this.getTime()) ? 'Invalid Date' : day(this);
    },
    toTimeString() {
      return isNaN(this.getTime()) ? 'Invalid Date' : time(this);
    },
    toString() {
      return isNaN(this.getTime()) ? 'Invalid Date' : `${day(this)} ${time(this)}`;
    },
    toLocaleString(locales?: string, options?: Intl.DateTimeFormatOptions) {
      return localized(this, locales, options, DATE_PARTS.concat(TIME_PARTS), { ...DAY_STYLE, ...TIME_STYLE });
    },
    toLocaleDateString(locales?: string, options?: Intl.DateTimeFormatOptions) {
      return localized(this, locales, options, DATE_PARTS, DAY_STYLE);
    },
    toLocaleTimeString(locales?: string, options?: Intl.DateTimeFormatOptions) {
      return localized(this, locales, options, TIME_PARTS, TIME_STYLE);
    },
  };
  for (const [name, method] of Object.entries(methods)) define(proto, name, method);
}

const DATE_PARTS = ['weekday', 'year', 'month', 'day', 'dateStyle'];
const TIME_PARTS = ['dayPeriod', 'hour', 'minute', 'second', 'fractionalSecondDigits', 'timeStyle'];
const DAY_STYLE: Intl.DateTimeFormatOptions = { year: 'numeric', month: 'numeric', day: 'numeric' };
const TIME_STYLE: Intl.DateTimeFormatOptions = { hour: 'numeric', minute: 'numeric', second: 'numeric' };

const NativeFormat = Intl.DateTimeFormat;

function localized(
  date: Date,
  locales: string | undefined,
  options: Intl.DateTimeFormatOptions | undefined,
  parts: string[],
  style: Intl.DateTimeFormatOptions,
): string {
  if (isNaN(date.getTime())) return 'Invalid Date';
  const asked = parts.some((part) => options?.[part as keyof Intl.DateTimeFormatOptions] !== undefined);
  const timeZone = options?.timeZone ?? 'UTC';
  return new NativeFormat(locales ?? 'en-US', { ...(asked ? {} : style), ...options, timeZone }).format(date);
}

function day(date: Date): string {
  const year = date.getUTCFullYear();
  const shown = `${year < 0 ? '-' : ''}${String(Math.abs(year)).padStart(year < 0 ? 6 : 4, '0')}`;
  return `${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${two(date.getUTCDate())} ${shown}`;
}

function time(date: Date): string {
  const clock = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(':');
  return `${clock} GMT+0000 (Coordinated Universal Time)`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: true, configurable: true });
}
