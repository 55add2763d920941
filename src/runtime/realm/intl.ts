/** `Intl` and the `toLocale…` methods with fixed defaults: locale `en-US`, time zone UTC. A locale that is named is obeyed. */
import { currentRun } from './run.ts';

const LOCALE = 'en-US';

type AnyConstructor = new (...args: unknown[]) => object;

export function repairLocales(): void {
  const intl = Intl as unknown as Record<string, unknown>;
  for (const name of Object.getOwnPropertyNames(intl)) {
    const native = intl[name];
    if (
      typeof native !== 'function' ||
      typeof (native as { supportedLocalesOf?: unknown }).supportedLocalesOf !== 'function'
    )
      continue;
    if (name !== 'Locale' && name !== 'DisplayNames')
      define(intl, name, withDefaults(name, native as unknown as AnyConstructor));
  }
  repairFormat();

  const strings = String.prototype;
  const compare = strings.localeCompare as (this: string, other: string, locales?: string, options?: object) => number;
  define(strings, 'localeCompare', function (this: string, other: string, locales?: string, options?: object) {
    return Reflect.apply(compare, this, [other, locales ?? LOCALE, options]);
  });
  for (const name of ['toLocaleLowerCase', 'toLocaleUpperCase'] as const) {
    const native = strings[name];
    define(strings, name, function (this: string, locales?: string) {
      return Reflect.apply(native, this, [locales ?? LOCALE]);
    });
  }
  for (const owner of [Number.prototype, BigInt.prototype]) {
    const native = owner.toLocaleString as (this: unknown, locales?: string, options?: object) => string;
    define(owner, 'toLocaleString', function (this: unknown, locales?: string, options?: object) {
      return Reflect.apply(native, this, [locales ?? LOCALE, options]);
    });
  }
}

function withDefaults(name: string, Native: AnyConstructor): unknown {
  // Called without `new` as well, which some of them allow.
  function Localized(locales?: unknown, options?: Record<string, unknown>): object {
    const settings = name === 'DateTimeFormat' ? { ...options, timeZone: options?.timeZone ?? 'UTC' } : options;
    return Reflect.construct(Native, [locales ?? LOCALE, settings], new.target ?? Localized);
  }
  define(Localized, 'name', name);
  Object.defineProperty(Localized, 'prototype', { value: Native.prototype, writable: false });
  define(Localized, 'supportedLocalesOf', (Native as unknown as { supportedLocalesOf: unknown }).supportedLocalesOf);
  define(Native.prototype as object, 'constructor', Localized);
  return Localized;
}

/** Without a date these format the present, which is the run's. */
function repairFormat(): void {
  const proto = Intl.DateTimeFormat.prototype as unknown as Record<string, unknown>;
  const getter = Object.getOwnPropertyDescriptor(proto, 'format')?.get;
  if (!getter) return;
  Object.defineProperty(proto, 'format', {
    get(this: unknown) {
      const format = Reflect.apply(getter, this, []) as (date: unknown) => string;
      return (date?: unknown) => format(date ?? currentRun().now);
    },
    configurable: true,
  });
  const formatToParts = proto.formatToParts as (date: unknown) => unknown;
  define(proto, 'formatToParts', function (this: unknown, date?: unknown) {
    return Reflect.apply(formatToParts, this, [date ?? currentRun().now]);
  });
}

function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: true, configurable: true });
}
