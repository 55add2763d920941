import { join } from 'node:path';
import type { PackageEnd } from '../rules/program.ts';
import { readCache, writeCache } from './cache-file.ts';

/** What is known of packages, on disk, beside the facts of files. */
export class PackageCache {
  readonly #path: string;
  #known: Map<string, PackageEnd | null> | undefined;
  #changed = false;

  /** @param folder - an existing `node_modules` */
  constructor(folder: string) {
    this.#path = join(folder, '.cache', 'pawl', 'packages.json');
  }

  /** Undefined for what nobody has looked at. */
  get(key: string): PackageEnd | null | undefined {
    return this.#all().get(key);
  }

  set(key: string, end: PackageEnd | null): void {
    if (this.#all().has(key)) return;
    this.#all().set(key, end);
    this.#changed = true;
  }

  save(): void {
    if (!this.#changed) return;
    this.#changed = false;
    writeCache(this.#path, Object.fromEntries(this.#all()));
  }

  #all(): Map<string, PackageEnd | null> {
    this.#known ??= readCache<PackageEnd | null>(this.#path);
    return this.#known;
  }
}
