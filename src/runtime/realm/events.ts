/** `Event`, `EventTarget`, `AbortController`, `AbortSignal`: enough for code that passes signals around. */
import { DOMException } from './dom-exception.ts';
import { notHere } from './not-here.ts';

type Listener = ((event: Event) => unknown) | { handleEvent(event: Event): unknown };
interface Registration {
  listener: Listener;
  once: boolean;
}

export class Event {
  readonly type: string;
  readonly cancelable: boolean;
  readonly bubbles = false;
  target: EventTarget | null = null;
  defaultPrevented = false;
  #stopped = false;

  constructor(type: string, options: { cancelable?: boolean } = {}) {
    this.type = String(type);
    this.cancelable = Boolean(options.cancelable);
  }

  get currentTarget(): EventTarget | null {
    return this.target;
  }

  preventDefault(): void {
    if (this.cancelable) this.defaultPrevented = true;
  }

  stopPropagation(): void {}

  stopImmediatePropagation(): void {
    this.#stopped = true;
  }

  static isStopped(event: Event): boolean {
    return event.#stopped;
  }
}

export class EventTarget {
  readonly #listeners = new Map<string, Registration[]>();

  addEventListener(
    type: string,
    listener: Listener | null,
    options?: boolean | { once?: boolean; signal?: AbortSignal },
  ): void {
    if (listener === null) return;
    const settings = typeof options === 'object' ? options : {};
    if (settings.signal?.aborted) return;
    const list = this.#listeners.get(type) ?? [];
    if (list.some((each) => each.listener === listener)) return;
    this.#listeners.set(type, [...list, { listener, once: Boolean(settings.once) }]);
    settings.signal?.addEventListener('abort', () => this.removeEventListener(type, listener), { once: true });
  }

  removeEventListener(type: string, listener: Listener | null): void {
    const list = this.#listeners.get(type);
    if (list)
      this.#listeners.set(
        type,
        list.filter((each) => each.listener !== listener),
      );
  }

  dispatchEvent(event: Event): boolean {
    event.target = this;
    for (const { listener, once } of this.#listeners.get(event.type) ?? []) {
      if (once) this.removeEventListener(event.type, listener);
      if (typeof listener === 'function') Reflect.apply(listener, this, [event]);
      else listener.handleEvent(event);
      if (Event.isStopped(event)) break;
    }
    return !event.defaultPrevented;
  }
}

let mayConstruct = false;
/** What only a controller may do. */
let trigger: (signal: AbortSignal, reason: unknown) => void;

export class AbortSignal extends EventTarget {
  #aborted = false;
  #reason: unknown;
  onabort: ((event: Event) => unknown) | null = null;

  constructor() {
    super();
    if (!mayConstruct) throw new TypeError('Illegal constructor');
  }

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }

  static abort(reason?: unknown): AbortSignal {
    const signal = makeSignal();
    trigger(signal, reason);
    return signal;
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const all = [...signals];
    const aborted = all.find((signal) => signal.aborted);
    if (aborted) return AbortSignal.abort(aborted.reason);
    const result = makeSignal();
    for (const signal of all) {
      signal.addEventListener('abort', () => trigger(result, signal.reason), { once: true });
    }
    return result;
  }

  static timeout(): never {
    throw notHere('AbortSignal.timeout()', 'Race the work against sleep(), or give the step a timeout.');
  }

  static {
    trigger = (signal, reason) => {
      if (signal.#aborted) return;
      signal.#aborted = true;
      signal.#reason = reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason;
      const event = new Event('abort');
      event.target = signal;
      signal.onabort?.(event);
      signal.dispatchEvent(event);
    };
  }
}

function makeSignal(): AbortSignal {
  mayConstruct = true;
  try {
    return new AbortSignal();
  } finally {
    mayConstruct = false;
  }
}

export class AbortController {
  readonly signal: AbortSignal = makeSignal();

  abort(reason?: unknown): void {
    trigger(this.signal, reason);
  }
}
