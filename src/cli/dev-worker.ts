/** The worker of `pawl dev`: a process of its own, since steps are modules, which Node loads once and keeps. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Output } from './output.ts';
import { ENDS_WITH_PARENT } from './run-session.ts';

export class DevWorker {
  readonly #options: readonly string[];
  readonly #out: Output;
  #child: ChildProcess | null = null;

  /** @param options of `pawl worker` */
  constructor(options: readonly string[], out: Output) {
    this.#options = options;
    this.#out = out;
  }

  /** Whether a worker is there: it may have ended by itself. */
  get runs(): boolean {
    return this.#child !== null;
  }

  /** Ends the worker that is there, and starts one on what is built now. */
  async replace(): Promise<void> {
    await this.stop();
    const child = spawn(process.execPath, [process.argv[1] as string, 'worker', ...this.#options], {
      // In a process group of its own: Ctrl-C is for us, who tell it. If we are killed the channel closes, and it ends.
      detached: process.platform !== 'win32',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, [ENDS_WITH_PARENT]: '1' },
    });
    this.#child = child;
    child.once('close', (code) => {
      if (this.#child !== child) return;
      this.#child = null;
      this.#out.note(`the worker ended with exit code ${code}; the next change that builds starts another`);
    });
  }

  /** Resolves when the worker is gone; running steps have some seconds to come to their end. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    this.#child = null;
    const gone = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGTERM');
    await gone;
  }
}
