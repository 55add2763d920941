/** `console` of workflow code: its lines go to the host, which prints them once and not on replay. */
import { LINE_SEPARATOR } from '../protocol.ts';
import { currentRun } from './run.ts';

const MAX_DEPTH = 4;
const MAX_ITEMS = 100;
const MAX_LINE = 10_000;

export function makeConsole(): Record<string, (...args: unknown[]) => void> {
  const write = (level: string, args: unknown[]): void => {
    const text = format(args);
    currentRun().lines.push(level + LINE_SEPARATOR + (text.length > MAX_LINE ? `${text.slice(0, MAX_LINE)}…` : text));
  };
  const at =
    (level: string) =>
    (...args: unknown[]): void =>
      write(level, args);
  const nothing = (): void => {};
  return {
    log: at('log'),
    info: at('info'),
    debug: at('debug'),
    warn: at('warn'),
    error: at('error'),
    trace: at('log'),
    dir: (value) => write('log', [value]),
    table: at('log'),
    group: at('log'),
    groupCollapsed: at('log'),
    groupEnd: nothing,
    assert: (condition, ...args) => {
      if (!condition) write('error', ['Assertion failed:', ...args]);
    },
    count: nothing,
    countReset: nothing,
    time: nothing,
    timeLog: nothing,
    timeEnd: nothing,
    clear: nothing,
  };
}

/** As Node prints arguments, in short: `%s` and its like, then the rest separated by spaces. */
function format(args: unknown[]): string {
  let rest = args;
  const parts: string[] = [];
  const [first] = args;
  if (typeof first === 'string') {
    let next = 1;
    const text = first.replace(/%[sdifjoOc%]/g, (mark) => {
      if (mark === '%%') return '%';
      if (next >= args.length) return mark;
      const value = args[next++];
      if (mark === '%s') return typeof value === 'string' ? value : inspect(value);
      if (mark === '%d' || mark === '%f') return String(Number(value));
      if (mark === '%i') return String(Number.parseInt(String(value), 10));
      return mark === '%c' ? '' : inspect(value);
    });
    parts.push(text);
    rest = args.slice(next);
  }
  for (const value of rest) parts.push(typeof value === 'string' ? value : inspect(value));
  return parts.join(' ');
}

/** A value in one line. Never throws. */
export function inspect(value: unknown): string {
  try {
    return show(value, 0, new Set());
  } catch {
    return '[cannot be shown]';
  }
}

function show(value: unknown, depth: number, above: Set<unknown>): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (Object.is(value, -0)) return '-0';
  if (typeof value === 'symbol') return String(value);
  if (typeof value === 'function') return `[function ${value.name || '(anonymous)'}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (above.has(value)) return '[circular]';
  if (value instanceof Error) return value.stack ?? String(value);
  if (value instanceof Date) return isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof RegExp) return String(value);
  if (depth > MAX_DEPTH) return Array.isArray(value) ? '[array]' : '[object]';
  above.add(value);
  const text = showObject(value, (inner) => show(inner, depth + 1, above));
  above.delete(value);
  return text;
}

function showObject(value: object, show: (inner: unknown) => string): string {
  if (Array.isArray(value)) return `[${list([...value], show)}]`;
  if (value instanceof Map) return `Map {${list([...value], ([key, each]) => `${show(key)} => ${show(each)}`)}}`;
  if (value instanceof Set) return `Set {${list([...value], show)}}`;
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return `${value.constructor.name} [${list(Array.from((value as Uint8Array).slice(0, MAX_ITEMS + 1)), show)}]`;
  }
  const name = (Object.getPrototypeOf(value) as { constructor?: { name?: unknown } } | null)?.constructor?.name;
  const prefix = typeof name === 'string' && name !== 'Object' ? `${name} ` : '';
  const members = list(Object.keys(value), (key) => {
    const shown = /^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key);
    return `${shown}: ${show((value as Record<string, unknown>)[key])}`;
  });
  return members === '' ? `${prefix}{}` : `${prefix}{ ${members} }`;
}

function list<T>(items: T[], show: (item: T) => string): string {
  const shown = items.slice(0, MAX_ITEMS).map(show);
  if (items.length > MAX_ITEMS) shown.push(`… ${items.length - MAX_ITEMS} more`);
  return shown.join(', ');
}
