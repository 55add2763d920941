/** The workflow bundles that a worker has read, and the realms that they run in. */
import { PawlError } from '../errors.ts';
import type { EventStore } from '../store/port.ts';
import { registerBundle } from './program.ts';
import { Realm, type RealmBundle, type WorkflowCode } from './sandbox.ts';
import { sharedRealm } from './worker-parts.ts';

export class Realms {
  readonly #codes = new Map<string, WorkflowCode>();
  #shared: Realm | null = null;

  /** @param code of the worker's own build */
  constructor(code: WorkflowCode) {
    this.#codes.set(code.hash, code);
  }

  /** Reads a bundle, unless it is known; false when the store does not have it. */
  async fetch(store: EventStore, hash: string): Promise<boolean> {
    if (this.#codes.has(hash)) return true;
    const bundle = await store.getBundle(hash);
    if (bundle === null) return false;
    const code = { hash, ...bundle };
    this.#codes.set(hash, code);
    registerBundle(code);
    return true;
  }

  /**
   * A realm with a bundle that was fetched.
   *
   * @param own One of its own, whose intrinsics are not frozen.
   */
  of(hash: string, own: boolean): { realm: Realm; bundle: RealmBundle } {
    const code = this.#codes.get(hash);
    if (code === undefined) throw new PawlError('PAWL_BUNDLE_LOST', `The workflow bundle ${hash} is not loaded.`);
    if (own) {
      const realm = new Realm(false);
      return { realm, bundle: realm.load(code) };
    }
    if (this.#shared === null || this.#shared.broken) this.#shared = sharedRealm();
    return { realm: this.#shared, bundle: this.#shared.load(code) };
  }
}
