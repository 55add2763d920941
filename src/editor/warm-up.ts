import { statSync } from 'node:fs';
import { discoverEntries } from '../checker/discover.ts';
import { concernsChecker } from '../checker/files.ts';
import { absolute } from '../checker/stamps.ts';
import type { Session } from '../checker/index.ts';
import { DECLARATION_FILE, findFile, joinPath, SOURCE_FILE } from '../checker/resolution.ts';

/**
 * Parses what the first check of a project will ask for, one file at a time, so that an editor is answered meanwhile. It may
 * parse more or less than that; the check is right all the same.
 *
 * @param root - absolute real path
 * @param entries - globs of the configuration; null for the default
 */
export function* warmUp(root: string, entries: readonly string[] | null, session: Session): Generator<void> {
  const isFile = (file: string): boolean =>
    statSync(absolute(root, file), { throwIfNoEntry: false })?.isFile() ?? false;
  const queue: string[] = [];
  const seen = new Set<string>();
  const take = (file: string): void => {
    if (seen.has(file) || !SOURCE_FILE.test(file) || DECLARATION_FILE.test(file)) return;
    seen.add(file);
    queue.push(file);
  };
  for (const file of discoverEntries(root, entries)) {
    if (concernsChecker(session.source(file) ?? '')) take(file);
    yield;
  }
  for (const file of queue) {
    for (const { source, typeOnly } of session.facts(file)?.imports ?? []) {
      if (typeOnly || !/^\.{1,2}\//.test(source)) continue;
      const target = findFile(joinPath(file.slice(0, file.lastIndexOf('/') + 1), source), isFile);
      if (target !== undefined) take(target);
    }
    yield;
  }
}
