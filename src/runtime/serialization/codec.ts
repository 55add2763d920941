/**
 * How values cross between workflow, steps and the event log: as text. The same code runs in the realm and on the host.
 *
 * Glossary
 *
 * - **data**: the text, `1` (the version of the format) and what `devalue` makes of the value.
 * - **reference**: a step, workflow or class that is passed as a value. Its id crosses, and what a nested step captured.
 * - **codec**: the two functions, for one side: they differ in what a reference becomes when it arrives.
 *
 * Besides what the structured clone algorithm takes, errors keep their class, fields and causes, instances of classes with the
 * `serialize` and `deserialize` methods become instances again, and so do `Headers`, `Request` and `Response`.
 */
import { DevalueError, stringify, unflatten } from 'devalue';
import { PawlError } from '../../errors.ts';
import { ERROR_BRAND } from '../errors.ts';
import { type ErrorData, errorFromData, errorToData, isError } from './error-data.ts';
import type { Platform } from './http.ts';
import { boundOf, isTooDeep, MAX_DEPTH, MAX_LENGTH } from './limits.ts';
import { describe, refusalOfBound, remedyFor } from './refusal.ts';
import { readScalars, writeScalars } from './scalars.ts';
import {
  type AnyClass,
  CAPTURES,
  classIdOf,
  DESERIALIZE_SYMBOLS,
  SELF,
  SERIALIZE_SYMBOLS,
  staticMethod,
  stepIdOf,
  workflowIdOf,
} from './symbols.ts';

export { deepPath, MAX_DEPTH } from './limits.ts';

/** Version of the format. A reader refuses every other one. */
export const DATA_VERSION = '1';

/** A step as a value. */
export interface StepReference {
  id: string;
  /** Of steps that captured each other, the first arrives before its captures do: to be read when they are needed. */
  captures?: unknown[];
  self?: unknown;
}

/** What arrives on one side. */
export interface CodecSide {
  step(reference: StepReference): unknown;
  workflow(id: string): unknown;
  class(id: string): AnyClass | undefined;
  /** `Headers`, `Request` and `Response`, where there are any. */
  platform?: Platform;
  /** What becomes of an instance of a class that is not known here; undefined refuses it. */
  unknownInstance?(id: string, data: unknown): unknown;
  /** Rewrites the stacks of errors that arrive. */
  mapStack?(stack: string): string;
}

/** Where a value is about to go, for messages. */
export interface Destination {
  /** `args`, `result`, `payload`: what the value is called at the root of the path; or makes the whole path. */
  root: string | ((path: string) => string);
  /** `the arguments of step src/a.ts#charge` */
  what: string;
}

export interface Codec {
  /**
   * @throws PawlError `PAWL_NOT_SERIALIZABLE`, whose message names the path: `args[0].user.save is a function`.
   */
  stringify(value: unknown, destination: Destination): string;
  /**
   * @throws PawlError `PAWL_DATA_VERSION`, `PAWL_DATA_INVALID`, `PAWL_CLASS_UNKNOWN`; and whatever a class's `deserialize` throws.
   */
  parse(data: string): unknown;
  /** As `stringify`, for what a program threw: never throws. */
  stringifyThrown(thrown: unknown): string;
}

export const UNDEFINED_DATA = `${DATA_VERSION}-1`;

interface Reducible {
  constructor?: unknown;
}

export function createCodec(side: CodecSide): Codec {
  const fits = (value: unknown): boolean => {
    if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return typeof value !== 'symbol';
    const before = objects;
    try {
      return write(value).over === null;
    } catch {
      return false;
    } finally {
      objects = before;
    }
  };

  /** Objects that were written: fewer than the levels that are allowed cannot nest deeper. */
  let objects = 0;

  const write = (value: unknown): { data: string; over: 'depth' | 'size' | null } => {
    objects = 0;
    const text = stringify(value, reducers);
    const over = text.length >= MAX_LENGTH ? 'size' : objects > MAX_DEPTH && isTooDeep(text) ? 'depth' : null;
    return { data: DATA_VERSION + text, over };
  };

  const reducers = {
    // The first one: it sees everything.
    Step(value: unknown) {
      if (typeof value !== 'function') {
        if (typeof value === 'object') objects++;
        return undefined;
      }
      const id = stepIdOf(value);
      if (id === undefined) return undefined;
      const { [CAPTURES]: captures, [SELF]: self } = value as {
        [CAPTURES]?: () => unknown[] | undefined;
        [SELF]?: unknown;
      };
      const reference: StepReference = { id };
      const captured = captures?.();
      if (captured && captured.length > 0) reference.captures = captured;
      if (self !== undefined) reference.self = self;
      return reference;
    },
    Workflow(value: unknown) {
      return typeof value === 'function' || isPlainHolder(value) ? workflowIdOf(value) : undefined;
    },
    Class(value: unknown) {
      return typeof value === 'function' ? classIdOf(value as AnyClass) : undefined;
    },
    Instance(value: unknown) {
      if (typeof value !== 'object' || value === null) return undefined;
      const owner = (Object.getPrototypeOf(value) as Reducible | null)?.constructor;
      if (typeof owner !== 'function' || owner === Object || owner === Array) return undefined;
      const method = staticMethod(owner, SERIALIZE_SYMBOLS);
      if (!method) return side.platform?.write(value);
      const id = classIdOf(owner as AnyClass);
      if (id === undefined) throw unregistered(owner.name);
      return { id, data: method(value) };
    },
    Error(value: unknown) {
      return isError(value) ? errorToData(value, fits) : undefined;
    },
  };

  const revivers = {
    Step: (reference: StepReference) => side.step(reference),
    Workflow: (id: string) => side.workflow(id),
    Class: (id: string) => side.class(id) ?? refuseClass(id),
    Instance: ({ id, data }: { id: string; data: unknown }) => {
      const known = side.class(id);
      const method = known && staticMethod(known, DESERIALIZE_SYMBOLS);
      if (method) return method(data);
      const replacement = side.platform?.read(id, data) ?? side.unknownInstance?.(id, data);
      return replacement === undefined ? refuseClass(id) : replacement;
    },
    Error: (data: ErrorData) => errorFromData(data, side.mapStack),
  };

  const codec: Codec = {
    stringify(value, destination) {
      if (value === undefined) return UNDEFINED_DATA;
      // What `devalue` makes of it, without what `devalue` sets up first.
      if (value === null || typeof value === 'boolean' || Number.isSafeInteger(value)) {
        return Object.is(value, -0) ? `${DATA_VERSION}-6` : `${DATA_VERSION}[${value}]`;
      }
      const scalars = writeScalars(value);
      if (scalars !== null) return DATA_VERSION + scalars;
      let written: ReturnType<typeof write>;
      try {
        written = write(value);
      } catch (error) {
        throw explain(error, value, destination);
      }
      if (written.over !== null) throw tooMuch(written.over, value, destination);
      return written.data;
    },
    parse(data) {
      if (data === UNDEFINED_DATA) return undefined;
      const flat: unknown = JSON.parse(unversioned(data));
      // A scalar by itself: as it stands. Anything else, and anything odd, is for `devalue`.
      if (Array.isArray(flat) && flat.length === 1 && isScalar(flat[0])) return flat[0];
      const scalars = readScalars(flat);
      if (scalars !== null) return scalars;
      try {
        return unflatten(flat as number | unknown[], revivers);
      } catch (error) {
        throw boundOf(error) === 'depth' ? unreadablyDeep(error) : error;
      }
    },
    stringifyThrown(thrown) {
      try {
        const value = isError(thrown) || fits(thrown) ? thrown : made(`A value was thrown: ${describe(thrown)}`);
        const { data, over } = write(value);
        return over === null ? data : plainly(thrown);
      } catch {
        return plainly(thrown);
      }
    },
  };
  return codec;
}

/** For a cause deep inside that is no error and cannot cross, a class whose `serialize` throws, a getter or proxy that does. */
function plainly(thrown: unknown): string {
  const reducers = { Error: (it: unknown) => isError(it) && errorToData(it, () => false) };
  try {
    const { name, message, stack } = thrown as Error;
    const plain = made(typeof message === 'string' ? message : describe(thrown));
    if (typeof name === 'string') Object.defineProperty(plain, 'name', { value: name });
    if (typeof stack === 'string') Object.defineProperty(plain, 'stack', { value: stack });
    return DATA_VERSION + stringify(plain, reducers);
  } catch {
    return DATA_VERSION + stringify(made('A value was thrown: a value that cannot be shown'), reducers);
  }
}

/** An error of our making: without a stack, which would show pawl and not the program. */
function made(message: string): Error {
  const error = new Error(message);
  Object.defineProperty(error, 'stack', { value: undefined });
  return error;
}

function isScalar(value: unknown): boolean {
  return value === null || typeof value !== 'object';
}

const DIGIT_0 = 48;
const DIGIT_9 = 57;

function unversioned(data: string): string {
  const next = data.charCodeAt(DATA_VERSION.length);
  if (data.startsWith(DATA_VERSION) && !(next >= DIGIT_0 && next <= DIGIT_9)) return data.slice(DATA_VERSION.length);
  const version = /^\d*/.exec(data)?.[0] ?? '';
  if (version === '') throw new PawlError('PAWL_DATA_INVALID', 'A value in the event log has no format version.');
  throw new PawlError(
    'PAWL_DATA_VERSION',
    `A value in the event log has format version ${version}; this version of pawl reads ${DATA_VERSION}.`,
    { remedy: 'Use the version of pawl that wrote it.' },
  );
}

/** Definitions of workflows are objects that stand for their workflow. */
function isPlainHolder(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'workflowId');
}

function refuseClass(id: string): never {
  throw new PawlError(
    'PAWL_CLASS_UNKNOWN',
    `The class ${id} is not known here, so its instance cannot be made again.`,
    {
      remedy:
        'Import the module that declares it, and see that the class has both the serialize and the deserialize method.',
    },
  );
}

function unregistered(name: string): PawlError {
  return fatal(
    new PawlError('PAWL_CLASS_UNKNOWN', `The class ${name || '(anonymous)'} has a serialize method but no id.`, {
      remedy: 'Declare it, with its static serialize and deserialize methods, in a module that the build sees.',
    }),
  );
}

function explain(error: unknown, whole: unknown, destination: Destination): unknown {
  if (!(error instanceof DevalueError)) {
    const bound = boundOf(error);
    return bound === null ? error : tooMuch(bound, whole, destination);
  }
  const { root, what } = destination;
  const value: unknown = error.value;
  const path = error.path ?? '';
  const where = typeof root === 'string' ? root + path : root(path);
  const refusal = new PawlError('PAWL_NOT_SERIALIZABLE', `${where} is ${describe(value)}.`, {
    place: what,
    remedy: remedyFor(value),
  });
  return fatal(refusal);
}

function tooMuch(bound: 'depth' | 'size', value: unknown, { root, what }: Destination): PawlError {
  const { message, remedy } = refusalOfBound(bound, value, root);
  return fatal(new PawlError('PAWL_NOT_SERIALIZABLE', message, { place: what, remedy }));
}

function unreadablyDeep(cause: unknown): PawlError {
  return fatal(
    new PawlError('PAWL_DATA_INVALID', 'A value in the event log is nested too deeply to be read.', {
      remedy: `Values nest at most ${MAX_DEPTH} levels. If a deserialize method calls itself without end, mend that.`,
      cause,
    }),
  );
}

/** Trying again would not help. */
function fatal(error: PawlError): PawlError {
  Object.defineProperty(error, ERROR_BRAND, { value: 'fatal' });
  return error;
}
