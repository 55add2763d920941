/**
 * Freezes the realm, so that its runs, which share it, cannot change it for each other.
 *
 * The trap is the override mistake: where a prototype's property is read-only, an assignment to an object that inherits it
 * throws, and `this.name = 'MyError'` or `Sub.prototype.toString = …` is everyday code. So the properties that code overrides
 * become accessors whose setter defines the property on the receiver, as SES does it.
 */
type AnyObject = Record<PropertyKey, unknown>;

/** What every prototype has, or its heirs tend to get. */
const COMMON_KEYS: PropertyKey[] = [
  'constructor',
  'toString',
  'toLocaleString',
  'valueOf',
  'toJSON',
  'name',
  'message',
  Symbol.toStringTag,
];

/** Further ones, of single prototypes. Not the hot ones: a property that is an accessor is slower to read. */
function specialKeys(): Map<object, readonly PropertyKey[] | '*'> {
  const errors = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError];
  const collections = ['add', 'set', 'delete', 'clear', 'has', 'get', 'forEach'];
  const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;
  const iterator = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())) as object;
  const keys = new Map<object, readonly PropertyKey[] | '*'>([
    [Object.prototype, '*'],
    [Function.prototype, '*'],
    [Array.prototype, ['push', 'concat']],
    [Map.prototype, collections],
    [Set.prototype, collections],
    [WeakMap.prototype, collections],
    [WeakSet.prototype, collections],
    [Date.prototype, '*'],
    [typedArray, '*'],
    [iterator, '*'],
  ]);
  for (const Type of errors) keys.set(Type.prototype, '*');
  for (const prototype of generatorPrototypes()) keys.set(prototype, '*');
  return keys;
}

function generatorPrototypes(): object[] {
  const functions = [function* () {}, async function* () {}];
  return functions.flatMap((fn) => {
    const prototype = Object.getPrototypeOf(fn.prototype) as object;
    return [prototype, Object.getPrototypeOf(prototype) as object];
  });
}

/** Intrinsics that no global names. */
function hiddenIntrinsics(): unknown[] {
  const iterators = [
    [][Symbol.iterator](),
    ''[Symbol.iterator](),
    new Map()[Symbol.iterator](),
    new Set()[Symbol.iterator](),
    'a'.matchAll(/a/g),
    (function* () {})(),
    (async function* () {})(),
  ];
  return [
    ...iterators.map((each) => Object.getPrototypeOf(each)),
    async () => {},
    function* () {},
    async function* () {},
  ];
}

/** Statics of `RegExp` that remember the last match: one run's would be seen by the next. */
export function removeRegExpStatics(): void {
  for (const name of Object.getOwnPropertyNames(RegExp)) {
    if (/^\$|^(?:input|lastMatch|lastParen|leftContext|rightContext)$/.test(name)) Reflect.deleteProperty(RegExp, name);
  }
}

/**
 * Frames of errors are formatted by the host. Code of ours must not be called then, nor see the frames: what is written to
 * `Error.prepareStackTrace` is dropped.
 */
export function guardStacks(stacks: boolean): void {
  // Without a limit that is a number V8 makes no stacks at all.
  if (!stacks) stackLimit = undefined;
  Object.defineProperty(Error, 'prepareStackTrace', { get: () => undefined, set() {}, configurable: false });
  Object.defineProperty(Error, 'stackTraceLimit', { value: stackLimit, writable: stacks, configurable: false });
}

let stackLimit: number | undefined = 40;

/** One run may have set it; the next one must not see that. */
export function resetStackLimit(): void {
  if (stackLimit !== undefined) Error.stackTraceLimit = stackLimit;
}

/**
 * @param roots What must be frozen besides the intrinsics: everything that runs share.
 */
export function freezeRealm(roots: readonly unknown[]): void {
  const special = specialKeys();
  const found = collect([
    ...Object.getOwnPropertyNames(globalThis).map(valueOfGlobal),
    ...hiddenIntrinsics(),
    ...roots,
  ]);
  for (const object of found) repairOverrides(object, special.get(object) ?? []);
  for (const object of found) {
    if (object === Error) freezeExcept(object, 'stackTraceLimit');
    else Object.freeze(object);
  }
  freezeGlobal();
}

function valueOfGlobal(name: string): unknown {
  return name === 'globalThis' ? undefined : (globalThis as unknown as AnyObject)[name];
}

/** All objects that can be reached. */
function collect(roots: unknown[]): Set<object> {
  const found = new Set<object>();
  const stack = roots;
  while (stack.length > 0) {
    const value = stack.pop();
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null || value === globalThis) continue;
    if (found.has(value)) continue;
    found.add(value);
    stack.push(Object.getPrototypeOf(value));
    for (const key of Reflect.ownKeys(value)) {
      const descriptor = Reflect.getOwnPropertyDescriptor(value, key) as PropertyDescriptor;
      stack.push(descriptor.value, descriptor.get, descriptor.set);
    }
  }
  return found;
}

function repairOverrides(object: object, special: readonly PropertyKey[] | '*'): void {
  const isPrototype = Object.hasOwn(object, 'constructor') || special.length > 0;
  if (!isPrototype) return;
  const keys = special === '*' ? Reflect.ownKeys(object) : [...COMMON_KEYS, ...special];
  for (const key of keys) {
    const descriptor = Reflect.getOwnPropertyDescriptor(object, key);
    if (!descriptor?.configurable || !('value' in descriptor)) continue;
    // Functions have names and lengths of their own.
    if (object === Function.prototype && (key === 'name' || key === 'length')) continue;
    const { value } = descriptor as { value: unknown };
    Object.defineProperty(object, key, {
      get: () => value,
      set(this: unknown, next: unknown) {
        assign(this, object, key, next);
      },
      enumerable: descriptor.enumerable,
      configurable: false,
    });
  }
}

function assign(receiver: unknown, owner: object, key: PropertyKey, value: unknown): void {
  if (receiver === owner) {
    throw new TypeError(`Cannot assign to read only property '${String(key)}' of object '${String(owner)}'`);
  }
  if ((typeof receiver !== 'object' && typeof receiver !== 'function') || receiver === null) return;
  if (Object.hasOwn(receiver, key)) {
    (receiver as AnyObject)[key] = value;
  } else {
    Object.defineProperty(receiver, key, { value, writable: true, enumerable: true, configurable: true });
  }
}

function freezeExcept(object: object, exception: string): void {
  for (const key of Reflect.ownKeys(object)) {
    if (key === exception) continue;
    const descriptor = Reflect.getOwnPropertyDescriptor(object, key) as PropertyDescriptor;
    const fixed = 'value' in descriptor ? { ...descriptor, writable: false } : descriptor;
    Object.defineProperty(object, key, { ...fixed, configurable: false });
  }
  Object.preventExtensions(object);
}

/** Free names in workflow code are looked up here: `Array = …` must fail. */
function freezeGlobal(): void {
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    const descriptor = Reflect.getOwnPropertyDescriptor(globalThis, name);
    if (!descriptor?.configurable || !('value' in descriptor)) continue;
    Object.defineProperty(globalThis, name, { ...descriptor, writable: false, configurable: false });
  }
}
