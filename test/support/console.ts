/**
 * An unexpected warning fails the test. A test that provokes one says so: `expectWarning(/locked/)`.
 */
import { afterEach, beforeEach, expect, vi } from 'vitest';

let seen: string[] = [];
let expected: RegExp[] = [];

/** Allows, and demands, one kind of warning in the running test: on `console.warn`, `console.error` or as a process warning. */
export function expectWarning(pattern: RegExp): void {
  expected.push(pattern);
}

function record(...parts: unknown[]): void {
  seen.push(parts.map((part) => (part instanceof Error ? (part.stack ?? String(part)) : String(part))).join(' '));
}

process.on('warning', (warning) => record(`${warning.name}: ${warning.message}`));

beforeEach(() => {
  seen = [];
  expected = [];
  vi.spyOn(console, 'warn').mockImplementation(record);
  vi.spyOn(console, 'error').mockImplementation(record);
});

afterEach(() => {
  const unexpected = seen.filter((text) => !expected.some((pattern) => pattern.test(text)));
  const missing = expected.filter((pattern) => !seen.some((text) => pattern.test(text)));
  expect({ unexpectedWarnings: unexpected, missingWarnings: missing.map(String) }).toEqual({
    unexpectedWarnings: [],
    missingWarnings: [],
  });
});
