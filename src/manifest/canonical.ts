import { createHash } from 'node:crypto';
import type { Manifest } from './schema.ts';

/** `sha256-` and the hex digest of a text (as UTF-8) or of bytes. */
export function hashText(text: string | Uint8Array): string {
  return `sha256-${createHash('sha256').update(text).digest('hex')}`;
}

/**
 * JSON with sorted keys, so that the same value gives the same text on every machine. `undefined` members are left out.
 *
 * @param indent Spaces per level; 0 gives one line.
 */
export function canonicalJson(value: unknown, indent = 0): string {
  return JSON.stringify(sortKeys(value), null, indent);
}

/** Code unit order, not locale order: `localeCompare` differs between machines. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  entries.sort(([a], [b]) => compareText(a, b));
  // A null prototype keeps a key such as `__proto__` an ordinary key.
  const sorted: Record<string, unknown> = Object.create(null);
  for (const [key, member] of entries) sorted[key] = sortKeys(member);
  return sorted;
}

/** What `integrity` must be for this manifest. */
export function manifestIntegrity(manifest: Omit<Manifest, 'integrity'>): string {
  const { integrity: _, ...rest } = manifest as Manifest;
  return hashText(canonicalJson(rest));
}
