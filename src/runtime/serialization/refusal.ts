/** What cannot cross, in words, and what to do instead. */
import { deepPath, MAX_DEPTH, MAX_LENGTH } from './limits.ts';

/** `a function`, `an instance of Client`: reads on from `args[0].save is `. */
export function describe(value: unknown): string {
  if (typeof value === 'function') return value.name ? `the function ${value.name}` : 'a function';
  if (typeof value === 'symbol') return `the symbol ${String(value.description ?? '')}`.trimEnd();
  if (typeof value !== 'object' || value === null) return String(value);
  if (isThenable(value)) return 'a promise';
  const name = className(value);
  if (name === undefined) return 'an object that cannot be serialized';
  if (name === 'Object') return 'an object with symbols or __proto__ as keys';
  const message = usedUp(value);
  if (message !== null) return `a ${message} whose body was read already`;
  return `${/^[AEIOU]/.test(name) ? 'an' : 'a'} ${name}`;
}

export function remedyFor(value: unknown): string {
  if (typeof value === 'function') {
    return "Pass data. A function crosses only when it is a step (give it the directive 'use step'); or do its work on the other side.";
  }
  if (typeof value === 'symbol') return 'Pass a string.';
  if (typeof value === 'object' && value !== null) {
    if (isThenable(value)) return 'Await it first.';
    const name = className(value);
    if (name === 'WritableStream') return 'Pass what getWritable() gives.';
    if (name === 'ReadableStream') {
      return 'Let a step return it: there it is read and kept with the run; elsewhere pass what it holds, or where that is.';
    }
    if (usedUp(value) !== null) return 'Pass what was read, or read a clone of it: `await response.clone().text()`.';
    if (name !== 'Object') {
      return (
        "Pass its data, or give its class the static methods [Symbol.for('pawl-serialize')](instance) and " +
        "[Symbol.for('pawl-deserialize')](data)."
      );
    }
  }
  return 'Pass plain data: what structured cloning takes, errors, and instances of classes with serialize methods.';
}

/** Of a value that is too deep or too large. `root` is what it is called, or makes the whole path. */
export function refusalOfBound(
  bound: 'depth' | 'size',
  value: unknown,
  root: string | ((path: string) => string),
): { message: string; remedy: string } {
  if (bound === 'size') {
    return {
      message: `${nameOf(root, value)} is too large: as text it takes more than ${MAX_LENGTH / 2 ** 20} million characters.`,
      remedy: 'Keep what is large elsewhere (a file, an object store), and pass where it is.',
    };
  }
  const path = deepPath(value);
  if (path === null) {
    return {
      message: `${nameOf(root, value)} has no end: writing it took all of the stack.`,
      remedy: 'See that no getter and no serialize method calls itself without end, or makes ever new objects.',
    };
  }
  return {
    message: `${typeof root === 'string' ? root + path : root(path)}… is nested deeper than ${MAX_DEPTH} levels.`,
    remedy: 'Pass it flat: a list of nodes that name each other by id, or as text (JSON, a file).',
  };
}

/** The value as a whole: a step's input holds its arguments at `[0]`. */
function nameOf(root: string | ((path: string) => string), value: unknown): string {
  if (typeof root === 'string') return root;
  return Array.isArray(value) && value.length > 1 ? 'the input' : root('[0]');
}

/** A `Request` or a `Response` would cross with its body. Their classes may be another library's, with names of their own. */
function usedUp(value: object): 'Request' | 'Response' | null {
  try {
    const tag = Object.prototype.toString.call(value).slice(8, -1);
    return (tag === 'Request' || tag === 'Response') && (value as Body).bodyUsed === true ? tag : null;
  } catch {
    return null;
  }
}

function isThenable(value: object): boolean {
  try {
    return typeof (value as { then?: unknown }).then === 'function';
  } catch {
    return false;
  }
}

function className(value: object): string | undefined {
  try {
    const owner: unknown = (Object.getPrototypeOf(value) as { constructor?: unknown } | null)?.constructor;
    return typeof owner === 'function' && owner.name !== '' ? owner.name : undefined;
  } catch {
    return undefined;
  }
}
