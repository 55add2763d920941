/** `structuredClone` within the realm. */
import { DOMException } from './dom-exception.ts';

export function structuredClone<T>(value: T): T {
  return clone(value, new Map()) as T;
}

function clone(value: unknown, seen: Map<object, unknown>): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') throw refused(value);
  if (typeof value !== 'object' || value === null) return value;
  const known = seen.get(value);
  if (known !== undefined) return known;
  const { copy, fill } = shell(value, seen);
  seen.set(value, copy);
  fill?.();
  return copy;
}

interface Shell {
  copy: object;
  /** Copies what is inside, once the copy is known to stand for the original. */
  fill?(): void;
}

function shell(value: object, seen: Map<object, unknown>): Shell {
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  switch (tag) {
    case 'Boolean':
    case 'Number':
    case 'String':
    case 'BigInt':
      return { copy: Object(value.valueOf()) };
    case 'Date':
      return { copy: new Date((value as Date).getTime()) };
    case 'RegExp':
      return { copy: new RegExp((value as RegExp).source, (value as RegExp).flags) };
    case 'ArrayBuffer':
      return { copy: (value as ArrayBuffer).slice(0) };
    case 'Map': {
      const copy = new Map();
      return {
        copy,
        fill: () => {
          for (const [key, each] of [...(value as Map<unknown, unknown>)])
            copy.set(clone(key, seen), clone(each, seen));
        },
      };
    }
    case 'Set': {
      const copy = new Set();
      return {
        copy,
        fill: () => {
          for (const each of [...(value as Set<unknown>)]) copy.add(clone(each, seen));
        },
      };
    }
    case 'Error':
      return cloneError(value as Error, seen);
  }
  if (ArrayBuffer.isView(value)) return { copy: cloneView(value, seen) };
  if (/^(?:Promise|WeakMap|WeakSet|WeakRef|Generator|AsyncGenerator|Symbol)$/.test(tag)) throw refused(value);
  const copy = Array.isArray(value) ? new Array(value.length) : {};
  return {
    copy,
    fill: () => {
      for (const key of Object.keys(value)) {
        const member = clone((value as Record<string, unknown>)[key], seen);
        Object.defineProperty(copy, key, { value: member, writable: true, enumerable: true, configurable: true });
      }
    },
  };
}

function cloneView(view: ArrayBufferView, seen: Map<object, unknown>): object {
  const buffer = clone(view.buffer, seen) as ArrayBuffer;
  const { length } = view as Uint8Array;
  const Type = view.constructor as new (buffer: ArrayBuffer, offset: number, length: number) => object;
  return new Type(buffer, view.byteOffset, view instanceof DataView ? view.byteLength : length);
}

const ERRORS: Record<string, ErrorConstructor> = {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

function cloneError(error: Error, seen: Map<object, unknown>): Shell {
  const Type = Object.hasOwn(ERRORS, error.name) ? (ERRORS[error.name] as ErrorConstructor) : Error;
  const copy = new Type(error.message);
  Object.defineProperty(copy, 'stack', { value: error.stack, writable: true, configurable: true });
  return {
    copy,
    fill: () => {
      if (!Object.hasOwn(error, 'cause')) return;
      const cause = clone(error.cause, seen);
      Object.defineProperty(copy, 'cause', { value: cause, writable: true, configurable: true });
    },
  };
}

function refused(value: unknown): DOMException {
  const shown = typeof value === 'function' ? `function ${value.name}` : Object.prototype.toString.call(value);
  return new DOMException(`${shown} could not be cloned.`, 'DataCloneError');
}
