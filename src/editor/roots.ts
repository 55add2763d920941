import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { CONFIG_FILES } from '../config/index.ts';

/** Where a file may belong. */
export interface RootCandidates {
  /** Folders around the file with a configuration of their own, innermost first. */
  configured: string[];
  /** The innermost folder that is a package or has a configuration, else the workspace folder; null when there is neither. */
  nearest: string | null;
}

/**
 * Folders that may be the root of a file's project. `pawl check` is called in a root; an editor has to find it.
 *
 * @param path - absolute path of a file, which need not exist
 * @param folders - workspace folders, absolute
 */
export function rootCandidates(path: string, folders: readonly string[]): RootCandidates {
  const candidates: RootCandidates = { configured: [], nearest: null };
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const isConfigured = CONFIG_FILES.some((name) => existsSync(join(folder, name)));
    if (isConfigured) candidates.configured.push(folder);
    if (isConfigured || existsSync(join(folder, 'package.json'))) candidates.nearest ??= folder;
    if (dirname(folder) === folder) break;
  }
  candidates.nearest ??= innermost(path, folders);
  return candidates;
}

function innermost(path: string, folders: readonly string[]): string | null {
  const around = folders.filter((folder) => path.startsWith(folder.endsWith('/') ? folder : `${folder}/`));
  return around.sort((a, b) => b.length - a.length)[0] ?? null;
}

/** Whether a folder is the root of a program for pawl, or for an SDK whose programs it serves. */
export function isPawlProject(folder: string): boolean {
  if (CONFIG_FILES.some((name) => existsSync(join(folder, name)))) return true;
  try {
    const text = readFileSync(join(folder, 'package.json'), 'utf8');
    return /"(?:pawl|workflow|@workflow\/[^"]+|@keystrokehq\/keystroke)"\s*:/.test(text);
  } catch {
    return false;
  }
}

/** The real path, also of a file that does not exist yet: as far as there are folders on disk. */
export function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const folder = dirname(path);
    return folder === path ? path : join(realPathOf(folder), basename(path));
  }
}
