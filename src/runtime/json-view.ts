import { deserializeData } from './inspect.ts';

/** A value of the log as plain JSON, as well as that goes: dates and big integers as text, maps and sets as lists, errors without stacks. */
export function jsonView(data: string | null): unknown {
  if (data === null) return null;
  try {
    return JSON.parse(JSON.stringify(deserializeData(data), plain) ?? 'null');
  } catch {
    // Cyclic, or of another version of the format.
    return '[not to be shown as JSON]';
  }
}

function plain(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Map || value instanceof Set) return [...value];
  if (ArrayBuffer.isView(value))
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
  if (!(value instanceof Error)) return value;
  const { name, message, cause } = value;
  return cause === undefined ? { name, message } : { name, message, cause };
}
