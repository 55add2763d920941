/**
 * Switches the promise hooks of Node 20 and 22 off while workflow code runs.
 *
 * Once an `AsyncLocalStorage` is in use, these versions call the host at each promise and each microtask of every context. That
 * hangs the stores of the host on the realm's promises; and when code is terminated within a microtask, by the watchdog or by `vm`'s
 * timeout, the call that should follow is missing: Node finds its stack of async ids wrong and aborts the process. From
 * Node 24 on there are no such hooks, nor a way to reach them.
 */
type Hooks = [init?: unknown, before?: unknown, after?: unknown, settled?: unknown];

interface AsyncWrap {
  getPromiseHooks(): Hooks;
  setPromiseHooks(...hooks: Hooks): void;
}

let binding: AsyncWrap | null | undefined;

function asyncWrap(): AsyncWrap | null {
  if (binding !== undefined) return binding;
  binding = null;
  if (Number(process.versions.node.split('.')[0]) >= 24) return binding;
  const host = process as unknown as { binding?(name: string): AsyncWrap; noDeprecation?: boolean };
  const { noDeprecation } = host;
  // There is no other way to them in these versions, which get no further changes.
  host.noDeprecation = true;
  try {
    const found = host.binding?.('async_wrap');
    if (typeof found?.getPromiseHooks === 'function' && typeof found.setPromiseHooks === 'function') binding = found;
  } catch {
    // Forbidden, by a policy for example: then promises are hooked, and the watchdog is not used (see `hooksCanBeSuspended`).
  } finally {
    host.noDeprecation = noDeprecation;
  }
  return binding;
}

/** Whether code can be terminated without harm. */
export function hooksCanBeSuspended(): boolean {
  return asyncWrap() !== null || Number(process.versions.node.split('.')[0]) >= 24;
}

let suspended: Hooks | null = null;

export function suspendPromiseHooks(): void {
  const wrap = asyncWrap();
  if (wrap === null || suspended !== null) return;
  const hooks = wrap.getPromiseHooks();
  if (hooks.every((hook) => hook === undefined)) return;
  suspended = hooks;
  wrap.setPromiseHooks(undefined, undefined, undefined, undefined);
}

export function resumePromiseHooks(): void {
  if (suspended === null) return;
  const hooks = suspended;
  suspended = null;
  asyncWrap()?.setPromiseHooks(hooks[0], hooks[1], hooks[2], hooks[3]);
}
