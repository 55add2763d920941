import { readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { z } from 'zod';
import { PawlError } from '../errors.ts';
import { hashText, manifestIntegrity } from './canonical.ts';
import { MANIFEST_VERSION, type Manifest, manifestSchema } from './schema.ts';
import { MANIFEST_FILE, PACKAGE_FILE, PACKAGE_TEXT } from './write.ts';

/** A manifest and the absolute path of the directory that its bundles stand in. */
export interface LoadedManifest extends Manifest {
  dir: string;
}

/** Texts of the bundles that a manifest names, checked against its hashes. */
export interface LoadedBundles {
  workflows: { file: string; code: string; map: string | null };
  steps: { file: string; code: string; map: string | null };
}

const REBUILD = 'Run `pawl build`.';

/**
 * Reads and checks a manifest.
 *
 * @param path The file, or the directory that holds `manifest.json`; relative to the working directory.
 * @returns The manifest, with `dir`, the absolute directory of its bundles. The bundles are not read; see `readBundles`.
 * @throws PawlError `PAWL_MANIFEST_MISSING`, `PAWL_MANIFEST_UNREADABLE`, `PAWL_MANIFEST_NOT_JSON`, `PAWL_MANIFEST_VERSION`,
 *   `PAWL_MANIFEST_INVALID` (the message names the path within), `PAWL_MANIFEST_CORRUPT` (its integrity does not hold).
 * @example
 * const manifest = readManifest('.pawl');
 * console.log(Object.keys(manifest.workflows)); // ['src/orders.ts#fulfil']
 */
export function readManifest(path: string): LoadedManifest {
  const file = manifestFile(resolve(path));
  const manifest = parseManifest(readText(file, 'manifest'), file);
  return { ...manifest, dir: dirname(file) };
}

/**
 * Checks the text of a manifest.
 *
 * @param place What to name as the place in errors.
 * @throws PawlError As `readManifest`.
 */
export function parseManifest(text: string, place: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = text.trim() === '' ? 'it is empty' : (error as Error).message;
    throw new PawlError('PAWL_MANIFEST_NOT_JSON', `The manifest is not JSON: ${reason}.`, { place, remedy: REBUILD });
  }
  const version = (value as { version?: unknown } | null)?.version;
  if (typeof version === 'number' && version !== MANIFEST_VERSION) {
    const newer = version > MANIFEST_VERSION;
    throw new PawlError(
      'PAWL_MANIFEST_VERSION',
      `The manifest has format version ${version}; this version of pawl reads ${MANIFEST_VERSION}.`,
      { place, remedy: newer ? 'Update pawl, or build with the version that runs.' : REBUILD },
    );
  }
  const parsed = manifestSchema.safeParse(value);
  if (!parsed.success) {
    const [first, ...more] = parsed.error.issues.map(describeIssue);
    const others = more.length > 0 ? ` (and ${more.length} more)` : '';
    throw new PawlError('PAWL_MANIFEST_INVALID', `The manifest is not valid: ${first}${others}.`, {
      place,
      remedy: REBUILD,
      details: { issues: [first, ...more] },
    });
  }
  if (manifestIntegrity(parsed.data) !== parsed.data.integrity) {
    throw new PawlError(
      'PAWL_MANIFEST_CORRUPT',
      'The manifest was changed after it was written: its contents do not match its `integrity`.',
      { place, remedy: `${REBUILD} If it was edited by hand, undo that: change the sources instead.` },
    );
  }
  return parsed.data;
}

/**
 * Reads the bundles that a manifest names.
 *
 * @throws PawlError `PAWL_BUNDLE_MISSING`, `PAWL_BUNDLE_UNREADABLE`, or `PAWL_BUNDLE_MISMATCH` when a bundle or its source map is not
 *   the one that the manifest was written with (the message says which of the two is newer), or when the `package.json` beside
 *   them is damaged, which makes the step bundle a module.
 */
export function readBundles(manifest: LoadedManifest): LoadedBundles {
  checkPackageFile(manifest.dir);
  return { workflows: readBundle(manifest, 'workflows'), steps: readBundle(manifest, 'steps') };
}

function readBundle(manifest: LoadedManifest, kind: 'workflows' | 'steps'): LoadedBundles['workflows'] {
  const { file: name, hash } = manifest.bundles[kind];
  const file = join(manifest.dir, name);
  const code = readText(file, 'bundle');
  if (hashText(code) !== hash) {
    throw new PawlError(
      'PAWL_BUNDLE_MISMATCH',
      `The bundle \`${name}\` is not the one that the manifest was written with: ${whichIsNewer(file, manifest.dir)}.`,
      { place: file, remedy: REBUILD },
    );
  }
  return { file, code, map: readMap(manifest, kind) };
}

/** A map may be left out. A damaged one would show wrong places, and would be kept with the runs. */
function readMap(manifest: LoadedManifest, kind: 'workflows' | 'steps'): string | null {
  const { file: name, map: hash } = manifest.bundles[kind];
  const file = join(manifest.dir, `${name}.map`);
  const text = optionalText(file);
  if (text === null || hash === undefined || hashText(text) === hash) return text;
  throw new PawlError(
    'PAWL_BUNDLE_MISMATCH',
    `The source map \`${name}.map\` is not the one that the manifest was written with: ${whichIsNewer(file, manifest.dir)}.`,
    { place: file, remedy: REBUILD },
  );
}

/** Node asks this file whether the step bundle is an ES module; without it, it asks the project's. */
function checkPackageFile(dir: string): void {
  const file = join(dir, PACKAGE_FILE);
  const text = optionalText(file);
  if (text === null || text === PACKAGE_TEXT || isModulePackage(text)) return;
  throw new PawlError(
    'PAWL_BUNDLE_MISMATCH',
    'The package.json of the output folder is damaged: it no longer says that the step bundle is an ES module.',
    { place: file, remedy: REBUILD },
  );
}

function isModulePackage(text: string): boolean {
  try {
    return (JSON.parse(text) as { type?: unknown } | null)?.type === 'module';
  } catch {
    return false;
  }
}

function whichIsNewer(bundle: string, dir: string): string {
  try {
    const difference = statSync(bundle).mtimeMs - statSync(join(dir, MANIFEST_FILE)).mtimeMs;
    if (difference > 1000) return 'it is newer than its manifest';
    if (difference < -1000) return 'it is older than its manifest';
  } catch {
    // A manifest that never was a file has no age.
  }
  return 'its hash differs';
}

function manifestFile(path: string): string {
  try {
    return statSync(path).isDirectory() ? join(path, MANIFEST_FILE) : path;
  } catch {
    return path;
  }
}

function readText(file: string, what: 'manifest' | 'bundle'): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const kind = what.toUpperCase();
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      const message = what === 'manifest' ? 'There is no manifest.' : 'A bundle that the manifest names is missing.';
      throw new PawlError(`PAWL_${kind}_MISSING`, message, { place: file, remedy: REBUILD, cause: error });
    }
    const reason = code === 'EISDIR' ? 'it is a directory' : code === 'EACCES' ? 'permission is denied' : message;
    throw new PawlError(`PAWL_${kind}_UNREADABLE`, `The ${what} cannot be read: ${reason}.`, {
      place: file,
      remedy:
        code === 'EISDIR' ? `Name the file or the folder that \`pawl build\` wrote. ${REBUILD}` : 'Make it readable.',
      cause: error,
    });
  }
}

function optionalText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/** `steps["src/a.ts#charge"].span.line: expected number, received string`. */
function describeIssue(issue: z.core.$ZodIssue): string {
  const path = issue.path.reduce<string>((text, key) => {
    if (typeof key === 'string' && /^[A-Za-z_$][\w$]*$/.test(key)) return text ? `${text}.${key}` : key;
    return `${text}[${JSON.stringify(key)}]`;
  }, '');
  return path ? `\`${path}\`: ${issue.message}` : issue.message;
}
