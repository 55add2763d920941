import type { Colors } from './output.ts';
import type { RunStatus } from '../store/port.ts';

/** A duration for people: `340 µs`, `12 ms`, `1.25 s`, `3 min 4 s`, `2 h 5 min`, `3 d 4 h`. */
export function formatDuration(ms: number): string {
  if (ms < 0) return `-${formatDuration(-ms)}`;
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  if (ms < 999.5) return `${ms < 10 ? trim(ms, 1) : Math.round(ms)} ms`;
  if (ms < 59_995) return `${trim(ms / 1000, 2)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return join([Math.floor(seconds / 60), 'min'], [seconds % 60, 's']);
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return join([Math.floor(minutes / 60), 'h'], [minutes % 60, 'min']);
  const hours = Math.round(minutes / 60);
  return join([Math.floor(hours / 24), 'd'], [hours % 24, 'h']);
}

const trim = (value: number, digits: number): string => String(Number(value.toFixed(digits)));

const join = (...parts: [number, string][]): string =>
  parts.flatMap(([count, unit], index) => (index === 0 || count > 0 ? [`${count} ${unit}`] : [])).join(' ');

/** A time for people, to the millisecond, in their own zone: `2026-03-02 08:04:00.123`. */
export function formatTime(at: number): string {
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${day} ${time}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** A size for people: `512 B`, `3.4 KiB`, `100 MiB`. */
export function formatSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const kib = bytes / 1024;
  if (kib < 1023.95) return `${trim(kib, 1)} KiB`;
  return `${trim(kib / 1024, 1)} MiB`;
}

/** `1 run`, `2 runs`. */
export function count(n: number, word: string): string {
  return `${n} ${word}${n === 1 ? '' : 's'}`;
}

/** A status in its colour. */
export function paintStatus(status: RunStatus, c: Colors, text: string = status): string {
  switch (status) {
    case 'completed':
      return c.green(text);
    case 'failed':
    case 'parked':
      return c.red(text);
    case 'cancelled':
      return c.yellow(text);
    case 'pending':
    case 'running':
      return c.cyan(text);
  }
}
