/**
 * Waits for a promise that may never settle: with a top-level `await` on nothing, Node would end without a word, with exit code 13.
 *
 * That it never will is certain when the process has nothing left to do. Where something else keeps the process busy (a server),
 * this waits like `await`.
 *
 * @param promise - what to wait for
 * @param stalled - makes the error for the case that nothing will settle it
 * @returns what the promise gives
 * @throws The error of `stalled`.
 * @example
 * const module = await orStalled(import(url), () => new PawlError('PAWL_STEPS_STALLED', '…'));
 */
export async function orStalled<T>(promise: Promise<T>, stalled: () => Error): Promise<T> {
  let onIdle = (): void => {};
  const idle = new Promise<never>((_, reject) => {
    onIdle = () => {
      // What follows may take its time: one more turn at least.
      setImmediate(() => {});
      reject(stalled());
    };
    process.once('beforeExit', onIdle);
  });
  try {
    return await Promise.race([promise, idle]);
  } finally {
    process.off('beforeExit', onIdle);
  }
}
