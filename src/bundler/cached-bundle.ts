import { statSync } from 'node:fs';
import { withoutQuery } from '../checker/disk-resolve.ts';
import type { BundleOutput, BundleResult } from './rolldown.ts';
import type { LoadModule } from './workflow-bundle.ts';

/**
 * A bundle that is made again only when something that went into it changed: the list of entries, the text that any module
 * was loaded with (after pawl's transform: an edit of a step's body does not touch the workflow bundle), or a file that the
 * bundler read itself.
 */
export class CachedBundle {
  #last: { key: string; loaded: Map<string, string | null>; stamps: Map<string, string>; output: BundleOutput } | null =
    null;

  /**
   * @param key - what else decides over the result: entries, and a count that grows when imports may resolve differently
   * @param load - gives the text of a module
   * @param run - makes the bundle, with a `load` that is listened to
   * @returns the result, and whether it was made anew
   */
  async get(
    key: string,
    load: LoadModule,
    run: (load: LoadModule) => Promise<BundleResult>,
  ): Promise<{ result: BundleResult; fresh: boolean }> {
    const last = this.#last;
    if (last && last.key === key && isCurrent(last, load))
      return { result: { ok: true, output: last.output }, fresh: false };
    this.#last = null;
    const loaded = new Map<string, string | null>();
    const result = await run((path) => {
      const code = load(path);
      loaded.set(path, code);
      return code;
    });
    if (result.ok) {
      const { output } = result;
      const others = output.files.filter((path) => loaded.get(path) === undefined || loaded.get(path) === null);
      this.#last = { key, loaded, stamps: new Map(others.map((path) => [path, stampOf(path)])), output };
    }
    return { result, fresh: true };
  }
}

function isCurrent(
  last: { loaded: Map<string, string | null>; stamps: Map<string, string> },
  load: LoadModule,
): boolean {
  for (const [path, code] of last.loaded) if (load(path) !== code) return false;
  for (const [path, stamp] of last.stamps) if (stampOf(path) !== stamp) return false;
  return true;
}

function stampOf(path: string): string {
  try {
    const { mtimeMs, size } = statSync(withoutQuery(path));
    return `${mtimeMs} ${size}`;
  } catch {
    return '';
  }
}
