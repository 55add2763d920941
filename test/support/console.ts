/**
 * An unexpected warning fails the test. A test that provokes one says so: `expectWarning(/locked/)`.
 */
import { afterEach, beforeEach, expect, vi } from 'vitest';

/** Of the process: files that share one load this for each of them, and some keep what another has loaded. */
interface State {
  seen: string[];
  expected: RegExp[];
}

const KEY = Symbol.for('pawl test console');
const host = globalThis as { [KEY]?: State };
const isFirst = host[KEY] === undefined;
const state: State = (host[KEY] ??= { seen: [], expected: [] });

/** Allows, and demands, one kind of warning in the running test: on `console.warn`, `console.error` or as a process warning. */
export function expectWarning(pattern: RegExp): void {
  state.expected.push(pattern);
}

function record(...parts: unknown[]): void {
  state.seen.push(parts.map((part) => (part instanceof Error ? (part.stack ?? String(part)) : String(part))).join(' '));
}

if (isFirst) process.on('warning', (warning) => record(`${warning.name}: ${warning.message}`));

beforeEach(() => {
  state.seen = [];
  state.expected = [];
  vi.spyOn(console, 'warn').mockImplementation(record);
  vi.spyOn(console, 'error').mockImplementation(record);
});

afterEach(() => {
  const { seen, expected } = state;
  const unexpected = seen.filter((text) => !expected.some((pattern) => pattern.test(text)));
  const missing = expected.filter((pattern) => !seen.some((text) => pattern.test(text)));
  expect({ unexpectedWarnings: unexpected, missingWarnings: missing.map(String) }).toEqual({
    unexpectedWarnings: [],
    missingWarnings: [],
  });
});
