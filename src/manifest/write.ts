import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeDirectory } from '../directories.ts';
import { PawlError } from '../errors.ts';
import { canonicalJson, hashText, manifestIntegrity } from './canonical.ts';
import { MANIFEST_VERSION, type Manifest } from './schema.ts';

export const MANIFEST_FILE = 'manifest.json';
export const WORKFLOWS_FILE = 'workflows.js';
export const STEPS_FILE = 'steps.js';
/** The step bundle is an ES module, whatever the project around it says. */
export const PACKAGE_FILE = 'package.json';
export const PACKAGE_TEXT = '{\n  "private": true,\n  "type": "module"\n}\n';

/** What a build hands over for writing: texts, not files. */
export interface ManifestContents {
  /** Version of pawl. */
  pawl: string;
  workflows: Manifest['workflows'];
  steps: Manifest['steps'];
  agents: Manifest['agents'];
  classes: Manifest['classes'];
  /** Texts of the bundles. */
  bundles: { workflows: string; steps: string };
  /** Texts of their source maps. */
  maps?: { workflows: string; steps: string };
  /** See `stepBundleSchema`. */
  cycles?: string[][];
}

/** Adds version, hashes and integrity, and sorts what has an order of its own. */
export function createManifest(contents: ManifestContents): Manifest {
  const { pawl, bundles, maps, cycles = [], workflows, steps, agents, classes } = contents;
  const manifest = {
    version: MANIFEST_VERSION,
    pawl,
    bundles: {
      workflows: {
        file: WORKFLOWS_FILE,
        hash: hashText(bundles.workflows),
        ...(maps && { map: hashText(maps.workflows) }),
      },
      steps: {
        file: STEPS_FILE,
        hash: hashText(bundles.steps),
        ...(maps && { map: hashText(maps.steps) }),
        ...(cycles.length > 0 && { cycles }),
      },
    },
    workflows,
    steps,
    agents,
    classes,
  } satisfies Omit<Manifest, 'integrity'>;
  return { ...manifest, integrity: manifestIntegrity(manifest) };
}

/** The text of `manifest.json`: keys sorted, two spaces, a final newline. */
export function serializeManifest(manifest: Manifest): string {
  return `${canonicalJson(manifest, 2)}\n`;
}

/**
 * Writes files so that a reader never sees half of one: each is written beside its place and renamed into it. Files come in the
 * order of the list, so bundles go before the manifest that names them. A file that already has the text is left alone.
 *
 * @param directory Absolute path; made when it is missing.
 * @returns Names of the files that changed.
 * @throws PawlError `PAWL_WRITE_FAILED` with the system's reason.
 */
export function writeFilesAtomically(directory: string, files: readonly { name: string; text: string }[]): string[] {
  const changed = files.filter(({ name, text }) => textOf(join(directory, name)) !== text);
  const suffix = `.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
  const temporary: string[] = [];
  let current = directory;
  try {
    makeDirectory(directory);
    for (const { name, text } of changed) {
      current = join(directory, name);
      makeDirectory(dirname(current));
      temporary.push(current + suffix);
      writeFileSync(current + suffix, text);
    }
    for (const { name } of changed) {
      current = join(directory, name);
      renameSync(current + suffix, current);
    }
  } catch (error) {
    for (const file of temporary) rmSync(file, { force: true });
    throw writeFailed(current, error);
  }
  return changed.map(({ name }) => name);
}

function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

const REASONS: Record<string, [reason: string, remedy: string]> = {
  ENOSPC: ['the disk is full', 'Free some space and build again.'],
  EFBIG: ['the file would be larger than the system allows', 'Raise the limit (`ulimit -f`) and build again.'],
  EDQUOT: ['the disk quota is used up', 'Free some space and build again.'],
  EROFS: ['the file system is read-only', 'Set `outDir` in pawl.config.ts to a folder that can be written.'],
  EACCES: ['permission is denied', 'Make the folder writable, or set `outDir` in pawl.config.ts to another one.'],
  EPERM: ['permission is denied', 'Make the folder writable, or set `outDir` in pawl.config.ts to another one.'],
  EISDIR: ['a directory stands where a file is meant', 'Remove the directory, or set `outDir` in pawl.config.ts.'],
  ENOTDIR: ['a file stands where a directory is meant', 'Remove the file, or set `outDir` in pawl.config.ts.'],
  EEXIST: ['a file stands where a directory is meant', 'Remove the file, or set `outDir` in pawl.config.ts.'],
};

function writeFailed(file: string, error: unknown): PawlError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const [reason, remedy] = REASONS[code] ?? [message, 'Make the folder writable and build again.'];
  return new PawlError('PAWL_WRITE_FAILED', `The build could not be written: ${reason}.`, {
    place: file,
    remedy,
    cause: error,
  });
}
