import { readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { applyFixes } from '../diagnostics/fixes.ts';
import { CODES } from '../diagnostics/codes.ts';
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
 * nobody sees half of it. A fix that does not do what it is for is taken back: the finding stays, and the text is its author's.
 *
 * @param session - the session to check with
 * @param path - the path on disk of a file relative to the root
 * @throws PawlError `PAWL_FILE_UNWRITABLE`
 */
export async function fixAll<Result extends Pick<CheckResult, 'diagnostics'> = CheckResult<SessionStats>>(
  session: Pick<Session, 'source'> & { check(): Promise<Result> },
  path: (file: string) => string,
): Promise<FixOutcome<Result>> {
  const fixes = new Map<string, number>();
  const failed = new Map<string, Set<string>>();
  let result = await session.check();
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const changes = byFile(result.diagnostics, failed).flatMap(([file, diagnostics]) => {
      const before = session.source(file);
      const change = before === null ? null : changeOf(before, diagnostics);
      return change && replaceText(path(file), change.before, change.after) ? [{ file, ...change }] : [];
    });
    if (changes.length === 0) break;
    const found = result.diagnostics;
    result = await session.check();
    let isUndone = false;
    for (const change of changes) {
      const { file, before, after, applied } = change;
      const useless = withoutEffect(file, applied, found, result.diagnostics);
      if (useless.length > 0 && replaceText(path(file), after, before)) {
        failed.set(file, new Set([...(failed.get(file) ?? []), ...useless]));
        isUndone = true;
      } else fixes.set(file, (fixes.get(file) ?? 0) + applied.length);
    }
    if (isUndone) result = await session.check();
  }
  const count = [...fixes.values()].reduce((sum, each) => sum + each, 0);
  return { result, fixes: count, files: [...fixes.keys()].sort() };
}

interface Change {
  before: string;
  after: string;
  /** Codes of the findings whose fixes went in. */
  applied: string[];
}

function changeOf(before: string, diagnostics: readonly Diagnostic[]): Change | null {
  const { text, applied } = applyFixes(before, diagnostics);
  const codes = diagnostics.filter(({ fix }) => fix && applied.includes(fix)).map(({ code }) => code);
  return codes.length === 0 ? null : { before, after: text, applied: codes };
}

/** Codes whose fixes leave as many findings as there were; all of them where the text no longer parses. */
function withoutEffect(
  file: string,
  applied: readonly string[],
  before: readonly Diagnostic[],
  after: readonly Diagnostic[],
): string[] {
  const count = (code: string, list: readonly Diagnostic[]): number =>
    list.filter((each) => each.file === file && each.code === code).length;
  const syntax = CODES['syntax-error'].code;
  const codes = [...new Set(applied)];
  if (count(syntax, after) > count(syntax, before)) return codes;
  return codes.filter((code) => count(code, after) >= count(code, before));
}

/** Findings with a fix, but for those of codes whose fixes have failed in the file. */
function byFile(
  diagnostics: readonly Diagnostic[],
  failed: ReadonlyMap<string, ReadonlySet<string>>,
): [string, Diagnostic[]][] {
  const files = new Map<string, Diagnostic[]>();
  for (const diagnostic of diagnostics) {
    if (!diagnostic.fix || failed.get(diagnostic.file)?.has(diagnostic.code)) continue;
    const list = files.get(diagnostic.file);
    if (list) list.push(diagnostic);
    else files.set(diagnostic.file, [diagnostic]);
  }
  return [...files];
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
