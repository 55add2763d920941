import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { realPath, toRelative, withSlashes } from '../checker/disk-resolve.ts';
import { PawlError } from '../errors.ts';
import {
  MANIFEST_FILE,
  PACKAGE_FILE,
  PACKAGE_TEXT,
  STEPS_FILE,
  WORKFLOWS_FILE,
  writeFilesAtomically,
} from '../manifest/index.ts';

const REMEDY = 'Set `outDir` in pawl.config.ts to a folder of its own, such as .pawl.';

/** Files of the output folder that a globbing of entries may come across. */
const OUTPUT_CODE = new Set([WORKFLOWS_FILE, STEPS_FILE]);

/**
 * Refuses an output folder whose files a build would take for its own: the project itself, a folder around it, a folder of
 * sources.
 *
 * @param root - absolute, with its links followed
 * @param outDir - absolute
 * @param entries - entry files relative to the root, those in the output folder too
 * @throws PawlError `PAWL_OUT_DIR`
 */
export function checkOutputFolder(root: string, outDir: string, entries: readonly string[]): void {
  const real = withSlashes(realPath(outDir));
  const folder = real.endsWith('/') ? real : `${real}/`;
  if (`${root}/`.startsWith(folder)) {
    const what = `${root}/` === folder ? 'the root of the project' : 'a folder around the project';
    throw refused(outDir, `The output folder is ${what}: a build would replace files there that are yours.`);
  }
  const prefix = `${toRelative(root, real)}/`;
  const source = entries.find((file) => file.startsWith(prefix) && !OUTPUT_CODE.has(file.slice(prefix.length)));
  if (source !== undefined) throw refused(outDir, `The output folder holds a source file, ${source}.`);
}

/** Writes builds into one folder, and does not even look into a file that is still as the last build left it. */
export class OutputFolder {
  readonly #directory: string;
  readonly #written = new Map<string, { text: string; stamp: string }>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * @returns names of the files that changed
   * @throws PawlError `PAWL_OUT_DIR` when a file would be replaced that no build wrote
   */
  write(files: readonly { name: string; text: string }[]): string[] {
    const pending = files.filter(({ name, text }) => {
      const known = this.#written.get(name);
      return !known || known.text !== text || known.stamp !== this.#stamp(name);
    });
    if (pending.length > 0 && !this.#isOurs()) this.#refuseForeign(files);
    const changed = writeFilesAtomically(this.#directory, pending);
    for (const { name, text } of pending) this.#written.set(name, { text, stamp: this.#stamp(name) });
    return changed;
  }

  /**
   * Whether a build wrote into this folder before. The manifest says so; where it was damaged, or the first build died before it,
   * the package.json that a build writes first does, as long as no other manifest.json stands there.
   */
  #isOurs(): boolean {
    const manifest = this.#text(MANIFEST_FILE);
    if (manifest !== null && isManifest(manifest)) return true;
    if (this.#text(PACKAGE_FILE) !== PACKAGE_TEXT) return false;
    return manifest === null || this.#text(WORKFLOWS_FILE)?.startsWith('(function (__pawl)') === true;
  }

  #refuseForeign(files: readonly { name: string }[]): void {
    for (const { name } of files) {
      const text = this.#text(name);
      if (text === null || (name === PACKAGE_FILE && text === PACKAGE_TEXT)) continue;
      throw refused(
        join(this.#directory, name),
        `The build would replace ${name} in the output folder, and no build of pawl wrote that file.`,
        `${REMEDY} If the file is of no use, remove it.`,
      );
    }
  }

  #text(name: string): string | null {
    try {
      return readFileSync(join(this.#directory, name), 'utf8');
    } catch {
      return null;
    }
  }

  #stamp(name: string): string {
    const stats = statSync(join(this.#directory, name), { throwIfNoEntry: false });
    return stats ? `${stats.mtimeMs} ${stats.size}` : '';
  }
}

function isManifest(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return (
      typeof value === 'object' &&
      value !== null &&
      'version' in value &&
      typeof value.version === 'number' &&
      'integrity' in value &&
      typeof value.integrity === 'string'
    );
  } catch {
    return false;
  }
}

function refused(place: string, message: string, remedy = REMEDY): PawlError {
  return new PawlError('PAWL_OUT_DIR', message, { place, remedy });
}
