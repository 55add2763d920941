/**
 * Reads data without the program that wrote it, so that writing it again gives the same: references stay references, instances
 * of classes that are not known here keep their class. For errors on their way into the log, and for tools that look at it.
 */
import { type Codec, createCodec } from './codec.ts';
import { type AnyClass, CAPTURES, CLASS_ID, deserialize, SELF, serialize } from './symbols.ts';

export function passthroughCodec(mapStack?: (stack: string) => string): Codec {
  const classes = new Map<string, AnyClass>();
  return createCodec({
    step: ({ id, captures, self }) => {
      const fn = (): never => notCallable(id);
      mark(fn, 'stepId', id);
      if (captures) mark(fn, CAPTURES, () => captures);
      if (self !== undefined) mark(fn, SELF, self);
      return fn;
    },
    workflow: (id) => {
      const fn = (): never => notCallable(id);
      mark(fn, 'workflowId', id);
      return fn;
    },
    class: (id) => {
      let known = classes.get(id);
      if (known === undefined) {
        known = keptClass(id);
        classes.set(id, known);
      }
      return known;
    },
    mapStack,
  });
}

function keptClass(id: string): AnyClass {
  class Kept {
    readonly data: unknown;
    constructor(data: unknown) {
      this.data = data;
    }
    static [serialize](value: Kept): unknown {
      return value.data;
    }
    static [deserialize](data: unknown): Kept {
      return new Kept(data);
    }
  }
  Object.defineProperty(Kept, 'name', { value: id.replace(/^.*[#.]/, '') });
  mark(Kept, CLASS_ID, id);
  return Kept;
}

function notCallable(id: string): never {
  throw new Error(`${id} is only a reference here.`);
}

function mark(target: object, key: PropertyKey, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, configurable: true });
}
