/** What cannot cross, in words, and what to do instead. */

/** `a function`, `an instance of Client`: reads on from `args[0].save is `. */
export function describe(value: unknown): string {
  if (typeof value === 'function') return value.name ? `the function ${value.name}` : 'a function';
  if (typeof value === 'symbol') return `the symbol ${String(value.description ?? '')}`.trimEnd();
  if (typeof value !== 'object' || value === null) return String(value);
  if (isThenable(value)) return 'a promise';
  const name = className(value);
  if (name === undefined) return 'an object that cannot be serialized';
  if (name === 'Object') return 'an object with symbols or __proto__ as keys';
  return `${/^[AEIOU]/.test(name) ? 'an' : 'a'} ${name}`;
}

export function remedyFor(value: unknown): string {
  if (typeof value === 'function') {
    return "Pass data. A function crosses only when it is a step (give it the directive 'use step'); or do its work on the other side.";
  }
  if (typeof value === 'symbol') return 'Pass a string.';
  if (typeof value === 'object' && value !== null) {
    if (isThenable(value)) return 'Await it first.';
    if (className(value) !== 'Object') {
      return (
        "Pass its data, or give its class the static methods [Symbol.for('pawl-serialize')](instance) and " +
        "[Symbol.for('pawl-deserialize')](data)."
      );
    }
  }
  return 'Pass plain data: what structured cloning takes, errors, and instances of classes with serialize methods.';
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
