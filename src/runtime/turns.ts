/** Workflow code runs in turns of the job queue, where the watchdog can end it. */
import type { ParkedReason } from '../store/port.ts';
import { isTimeout } from './driving.ts';
import { addJob } from './job-queue.ts';
import { broken, tooSlow } from './parking.ts';
import type { Realm } from './sandbox.ts';

/** @returns what `work` does, or why a run for which it was done would be parked */
export function inTurn<T>(realm: Realm, limit: number, work: () => T): Promise<T | ParkedReason> {
  return new Promise((resolve) => {
    const terminated = (): void => {
      realm.broken = true;
      resolve(tooSlow(limit));
    };
    addJob({
      run: () => {
        try {
          resolve(work());
        } catch (error) {
          if (isTimeout(error)) terminated();
          else resolve(broken(error));
        }
      },
      terminated,
      last: () => {},
    });
  });
}
