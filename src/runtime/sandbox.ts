/**
 * The host's side of the realm: a `node:vm` context in which workflow code runs and from which nothing of the host can be reached.
 *
 * Only primitives cross. The host holds objects of the realm (its functions, runs) but never reads their properties; the
 * realm holds one function of the host, for URLs, in a closure that workflow code cannot see. Workflow code runs only while
 * `Realm.enter` does its work: the context's microtask queue is drained by evaluating an empty script, synchronously.
 */
import { createContext, Script } from 'node:vm';
import { PawlError } from '../errors.ts';
import { enclosed, enclosureHolds } from './enclosure.ts';
import { COMMAND, type CommandKind, type DeliveryKind, LINE_SEPARATOR, URL_PARTS } from './protocol.ts';
import { resumePromiseHooks, suspendPromiseHooks } from './promise-hooks.ts';
import realmCode from './realm/main.ts?realm';
import { unwatch, watch, watchdogAvailable } from './watchdog.ts';

type RealmApi = typeof import('./realm/main.ts');
type RealmRun = import('./realm/main.ts').Run;
type RealmBundle = Parameters<RealmApi['start']>[1];

/** Workflow code as it is stored: by hash, with its map. */
export interface WorkflowCode {
  hash: string;
  code: string;
  map: string | null;
}

/** What workflow code asked for. */
export interface Command {
  kind: CommandKind;
  cid: number;
  name: string | null;
  data: string | null;
  until: number;
  stack: string | null;
}

export interface ConsoleLine {
  level: string;
  text: string;
}

/** The name under which a bundle's frames appear in stacks. */
export function bundleFilename(hash: string): string {
  return `pawl-workflows-${hash.replace(/^sha256-/, '').slice(0, 16)}.js`;
}

export const REALM_FILENAME = 'pawl-realm.js';

/**
 * What the language itself has, passed to the scripts as parameters: reading a global of a vm context calls into C++ each
 * time. The virtual globals are not among them.
 */
const INTRINSICS = (
  'Object Function Array Number parseFloat parseInt Boolean String Symbol Promise RegExp Error AggregateError EvalError RangeError ' +
  'ReferenceError SyntaxError TypeError URIError JSON Map Set WeakMap WeakSet BigInt ArrayBuffer DataView Int8Array Uint8Array ' +
  'Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array Float32Array Float64Array BigInt64Array BigUint64Array Reflect ' +
  'Proxy decodeURI decodeURIComponent encodeURI encodeURIComponent isFinite isNaN'
).split(' ');

/** A script that is an expression, with the intrinsics as constants around it: workflow code cannot assign to them. */
function wrap(expression: string, filename: string): Script {
  const body = expression.trimEnd().replace(/;$/, '');
  const names = INTRINSICS.join(', ');
  const text = `(function (intrinsics) { "use strict"; const { ${names} } = intrinsics; return (${body}\n); })({ ${names} })`;
  return new Script(text, { filename });
}

let realmScript: Script | undefined;
const drain = new Script('0', { filename: 'pawl-drain.js' });
const DRAIN_OPTIONS = { displayErrors: false };

export class Realm {
  /** Whether several runs live in it; then its intrinsics are frozen. */
  readonly shared: boolean;
  /** A delivery was terminated: what is left in the microtask queue must never run. */
  broken = false;
  readonly #context: object;
  readonly #api: RealmApi;
  readonly #bundles = new Map<string, RealmBundle>();
  readonly #promisePrototype: unknown;
  readonly #sink: object;
  #last: RealmRun | undefined;

  constructor(shared: boolean) {
    this.shared = shared;
    this.#context = createContext(Object.create(null) as object, {
      name: 'pawl',
      microtaskMode: 'afterEvaluate',
      codeGeneration: { strings: false, wasm: false },
    });
    realmScript ??= wrap(realmCode, REALM_FILENAME);
    const api = realmScript.runInContext(this.#context) as RealmApi;
    api.setUp(hostUrl, shared, enclosureHolds());
    this.#api = api;
    this.#sink = api.rejectionSink;
    this.#promisePrototype = api.promisePrototype;
    realms.add(new WeakRef(this));
    listenForHandled();
  }

  /**
   * Makes the bundle known to this realm.
   *
   * @throws PawlError `PAWL_BUNDLE_INVALID`, `PAWL_BUNDLE_IMPORT`
   */
  load(code: WorkflowCode): RealmBundle {
    let bundle = this.#bundles.get(code.hash);
    if (bundle === undefined) {
      const value: unknown = compileBundle(code).runInContext(this.#context);
      if (typeof value !== 'function') throw invalidBundle(code.hash, 'its value is not a function');
      bundle = value as RealmBundle;
      this.#bundles.set(code.hash, bundle);
    }
    return bundle;
  }

  create(id: string, workflowId: string, seed: string, now: number): RealmRun {
    return this.#api.create(id, workflowId, seed, now);
  }

  /** Where webhooks of the run are reached; to be said before the run starts. */
  setBaseUrl(run: RealmRun, url: string): void {
    this.#api.setBaseUrl(run, url);
  }

  /**
   * Does `work`, which may call `start` and `deliver`, in the only way in which workflow code may run. Not reentrant.
   *
   * @param limit How long a single delivery may take, ms.
   */
  enter(run: RealmRun, limit: number, work: (delivery: Delivery) => void): void {
    const host = process as { domain?: unknown };
    const { domain } = host;
    this.#last = run;
    // Node tells a rejection that nobody handles to the domain in which it happened: this one belongs to the realm.
    host.domain = this.#sink;
    suspendPromiseHooks();
    try {
      enclosed(() => work(new Delivery(this.#api, this.#context, run, limit)));
    } finally {
      resumePromiseHooks();
      host.domain = domain ?? undefined;
      this.#api.end();
    }
  }

  /** Whether a promise was made in this realm. */
  owns(promise: object): boolean {
    return Object.getPrototypeOf(promise) === this.#promisePrototype;
  }

  noteHandled(promise: Promise<unknown>): void {
    if (this.#last !== undefined) this.#api.noteHandled(this.#last, promise);
  }
}

/** Speaks with the realm about one run, during one `enter`. */
export class Delivery {
  readonly #api: RealmApi;
  readonly #context: object;
  readonly #run: RealmRun;
  readonly #limit: number;

  constructor(api: RealmApi, context: object, run: RealmRun, limit: number) {
    this.#api = api;
    this.#context = context;
    this.#run = run;
    this.#limit = limit;
  }

  start(bundle: RealmBundle, input: string | null, traced: boolean): void {
    this.#api.start(this.#run, bundle, input, traced);
    this.#drain();
  }

  deliver(kind: DeliveryKind, cid: number, data: string | null, now: number): void {
    this.#api.deliver(this.#run, kind, cid, data, now);
    this.#drain();
  }

  /** What the schema of a hook finds wrong with a payload, as JSON. */
  check(cid: number, data: string): string | null {
    this.#api.check(this.#run, cid, data);
    this.#drain();
    return text(this.#api.checked());
  }

  /** Lets microtasks run that belong to nobody's delivery. */
  settle(): void {
    this.#drain();
  }

  #drain(): void {
    if (watched) {
      watch(this.#limit);
      drain.runInContext(this.#context, DRAIN_OPTIONS);
      unwatch();
    } else drain.runInContext(this.#context, { displayErrors: false, timeout: this.#limit });
  }

  /** The next command. */
  take(): Command | undefined {
    const api = this.#api;
    const kind = api.take(this.#run) as CommandKind;
    if (kind === COMMAND.none) return undefined;
    return {
      kind,
      cid: Number(api.takenCid()),
      name: text(api.takenName()),
      data: text(api.takenData()),
      until: Number(api.takenUntil()),
      stack: text(api.takenStack()),
    };
  }

  takeLine(): ConsoleLine | undefined {
    const line = text(this.#api.takeLine(this.#run));
    if (line === null) return undefined;
    const at = line.indexOf(LINE_SEPARATOR);
    return { level: line.slice(0, at), text: line.slice(at + 1) };
  }

  awaitsHook(): boolean {
    return this.#api.awaitsHook(this.#run) === true;
  }

  unhandled(): string | null {
    return text(this.#api.unhandled(this.#run));
  }
}

export type { RealmBundle, RealmRun };

const watched = watchdogAvailable();

/** Whatever the realm hands out, only text comes over. */
function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

const scripts = new Map<string, Script>();

function compileBundle({ hash, code }: WorkflowCode): Script {
  let script = scripts.get(hash);
  if (script === undefined) {
    refuseImports(hash, code);
    try {
      script = wrap(code, bundleFilename(hash));
    } catch (error) {
      throw invalidBundle(hash, (error as Error).message);
    }
    scripts.set(hash, script);
  }
  return script;
}

function invalidBundle(hash: string, reason: string): PawlError {
  return new PawlError('PAWL_BUNDLE_INVALID', `The workflow bundle ${hash} cannot be evaluated: ${reason}.`, {
    remedy: 'Run `pawl build`.',
  });
}

const IMPORT_CALL =
  /\bimport((?:\s|\/\*[^]*?\*\/|\/\/[^\n]*\n)*(?:\.(?:\s|\/\*[^]*?\*\/)*(?:source|defer)(?:\s|\/\*[^]*?\*\/)*)?)\(/g;

/**
 * `import()` would hand out a promise of the host. Whether the text of one stands in code or in a string, V8 itself says: with
 * four further arguments an `import()` no longer parses, while a string, a comment or a method of that name does.
 */
function refuseImports(hash: string, code: string): void {
  for (const match of code.matchAll(IMPORT_CALL)) {
    const end = match.index + match[0].length;
    const probe = `${code.slice(0, end)}pawl1, pawl2, pawl3, pawl4, ${code.slice(end)}`;
    try {
      new Script(probe);
    } catch {
      const line = code.slice(0, match.index).split('\n').length;
      throw new PawlError(
        'PAWL_BUNDLE_IMPORT',
        'The workflow bundle contains an import() call, which would reach the host.',
        {
          place: `${bundleFilename(hash)}:${line}`,
          remedy: 'Import at the top of the module, or load the module in a step. Then run `pawl build`.',
        },
      );
    }
  }
}

/** The realm's `URL`: texts in, one text out, never an error. */
function hostUrl(operation: string, href: string, value: string): string {
  try {
    const url = operation === 'resolve' ? new URL(href, value) : new URL(href);
    if (operation.startsWith('set:')) {
      const part = operation.slice(4) as (typeof URL_PARTS)[number];
      if (part !== 'origin' && URL_PARTS.includes(part)) url[part] = value;
    }
    return URL_PARTS.map((part) => url[part]).join('\n');
  } catch {
    return '';
  }
}

const realms = new Set<WeakRef<Realm>>();
let listening = false;

/** A rejection that its workflow handles late is no news for the process; Node would print a warning. */
function listenForHandled(): void {
  if (listening) return;
  listening = true;
  const listener = (promise: Promise<unknown>): void => {
    for (const reference of realms) {
      const realm = reference.deref();
      if (realm === undefined) realms.delete(reference);
      else if (realm.owns(promise)) {
        realm.noteHandled(promise);
        return;
      }
    }
    if (process.listenerCount('rejectionHandled') === 1) {
      process.emitWarning('Promise rejection was handled asynchronously', 'PromiseRejectionHandledWarning');
    }
  };
  process.on('rejectionHandled', listener);
}
