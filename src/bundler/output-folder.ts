import { statSync } from 'node:fs';
import { join } from 'node:path';
import { writeFilesAtomically } from '../manifest/index.ts';

/** Writes builds into one folder, and does not even look into a file that is still as the last build left it. */
export class OutputFolder {
  readonly #directory: string;
  readonly #written = new Map<string, { text: string; stamp: string }>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** @returns names of the files that changed */
  write(files: readonly { name: string; text: string }[]): string[] {
    const pending = files.filter(({ name, text }) => {
      const known = this.#written.get(name);
      return !known || known.text !== text || known.stamp !== this.#stamp(name);
    });
    const changed = writeFilesAtomically(this.#directory, pending);
    for (const { name, text } of pending) this.#written.set(name, { text, stamp: this.#stamp(name) });
    return changed;
  }

  #stamp(name: string): string {
    const stats = statSync(join(this.#directory, name), { throwIfNoEntry: false });
    return stats ? `${stats.mtimeMs} ${stats.size}` : '';
  }
}
