/**
 * Keeps a hole of `node:vm` shut: when code in a context reads `error.stack`, V8 calls a function of the host to format it. On a
 * stack that is nearly full that function throws an error *of the host* into the context, and its `constructor.constructor` makes
 * functions that see everything.
 *
 * V8 does not call the host while it is formatting already; it formats plainly by itself then. So workflow code runs inside of
 * such a call: `enclosed` formats the stack of a probe, and does its work in the host's formatter. It costs about 2 µs.
 */
export function enclosed(work: () => void): void {
  const { prepareStackTrace, stackTraceLimit } = Error;
  let failure: { error: unknown } | undefined;
  let begun = false;
  // Assigned, never defined or deleted: these would put `Error` into the engine's slow mode, and cost more than a step's rows.
  const formatter = (): string => {
    // Restored before the work begins: when it is terminated, nothing after it runs.
    Error.prepareStackTrace = prepareStackTrace;
    begun = true;
    try {
      work();
    } catch (error) {
      failure = { error };
    }
    return '';
  };
  Error.stackTraceLimit = 0;
  const probe = new Error();
  Error.stackTraceLimit = stackTraceLimit;
  Error.prepareStackTrace = formatter;
  void probe.stack;
  if (!begun) {
    // Somebody else formats; `enclosureHolds` has said so, and the realm makes no stacks.
    Error.prepareStackTrace = prepareStackTrace;
    work();
  }
  if (failure) throw failure.error;
}

let holds: boolean | undefined;

/** Whether this engine behaves as described. If not, code in the realm must do without stacks. */
export function enclosureHolds(): boolean {
  if (holds === undefined) {
    let called = false;
    let inside = false;
    enclosed(() => {
      const own = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');
      inside = true;
      Error.prepareStackTrace = () => {
        called = true;
        return '';
      };
      void new Error('probe').stack;
      if (own) Object.defineProperty(Error, 'prepareStackTrace', own);
      else Reflect.deleteProperty(Error, 'prepareStackTrace');
    });
    holds = inside && !called;
  }
  return holds;
}
