/** Waits for runs to be at rest. */
export class Quiet {
  readonly #isQuiet: () => boolean;
  #waiting: (() => void)[] = [];

  /** @param isQuiet Whether no attempt runs and nothing is under way. */
  constructor(isQuiet: () => boolean) {
    this.#isQuiet = isQuiet;
  }

  /** Resolves when it is quiet, or the time is over, ms. */
  wait(timeout: number): Promise<void> {
    if (this.#isQuiet()) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeout);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
      const check = (): void => {
        if (this.#isQuiet()) this.tell();
        else if (this.#waiting.length > 0) setImmediate(check);
      };
      setImmediate(check);
    });
  }

  /** Lets go whoever waits. */
  tell(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
