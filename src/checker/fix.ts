import { readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { applyFixes } from '../diagnostics/fixes.ts';
import type { Diagnostic } from '../diagnostics/types.ts';
import { PawlError } from '../errors.ts';
import type { CheckResult } from './check-program.ts';
import type { Session, SessionStats } from './session.ts';

/** One fix may make room for the next; more rounds than this are two fixes undoing each other. */
const MAX_ROUNDS = 10;

export interface FixOutcome<Result = CheckResult<SessionStats>> {
  /** What is left after the fixes. */
  result: Result;
  /** How many fixes were applied. */
  fixes: number;
  /** Files that were rewritten, relative to the root. */
  files: string[];
}

/**
 * Applies the fixes of all findings, and checks again until none is left to apply. A file is replaced in one step, so that
 * nobody sees half of it.
 *
 * @param session - the session to check with
 * @param path - the path on disk of a file relative to the root
 * @throws PawlError `PAWL_FILE_UNWRITABLE`
 */
export async function fixAll<Result extends Pick<CheckResult, 'diagnostics'> = CheckResult<SessionStats>>(
  session: Pick<Session, 'source'> & { check(): Promise<Result> },
  path: (file: string) => string,
): Promise<FixOutcome<Result>> {
  const files = new Set<string>();
  let fixes = 0;
  let result = await session.check();
  for (let round = 0; round < MAX_ROUNDS; round++) {
    let applied = 0;
    for (const [file, diagnostics] of byFile(result.diagnostics)) {
      const before = session.source(file);
      if (before === null) continue;
      const fixed = applyFixes(before, diagnostics);
      if (fixed.applied.length === 0 || !replaceText(path(file), before, fixed.text)) continue;
      applied += fixed.applied.length;
      files.add(file);
    }
    if (applied === 0) break;
    fixes += applied;
    result = await session.check();
  }
  return { result, fixes, files: [...files].sort() };
}

function byFile(diagnostics: readonly Diagnostic[]): Map<string, Diagnostic[]> {
  const files = new Map<string, Diagnostic[]>();
  for (const diagnostic of diagnostics) {
    if (!diagnostic.fix) continue;
    const list = files.get(diagnostic.file);
    if (list) list.push(diagnostic);
    else files.set(diagnostic.file, [diagnostic]);
  }
  return files;
}

/** Replaces a file's text, unless somebody changed it meanwhile. Its mode, its links and its byte order mark stay. */
function replaceText(path: string, before: string, after: string): boolean {
  let temporary: string | null = null;
  try {
    const target = realpathSync(path);
    const raw = readFileSync(target, 'utf8');
    const mark = raw.charCodeAt(0) === 0xfeff ? '\ufeff' : '';
    if (raw.slice(mark.length) !== before) return false;
    temporary = `${target}.${process.pid}.tmp`;
    writeFileSync(temporary, mark + after, { mode: statSync(target).mode });
    renameSync(temporary, target);
    return true;
  } catch (error) {
    if (temporary !== null) rmSync(temporary, { force: true });
    throw new PawlError('PAWL_FILE_UNWRITABLE', `The file cannot be rewritten: ${(error as Error).message}.`, {
      place: path,
      remedy: 'Make it writable, or run without `--fix`.',
      cause: error,
    });
  }
}
