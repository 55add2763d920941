import { resolve } from 'node:path';
import { createColors } from '../diagnostics/colors.ts';
import { fullMessage } from '../diagnostics/create.ts';
import { codeFrame } from '../diagnostics/frame.ts';
import type { Diagnostic } from '../diagnostics/types.ts';
import { PawlError } from '../errors.ts';
import type { BuildResult, BuildSession } from './types.ts';

/** A finding in the form in which bundlers show theirs. */
export interface ReportedFinding {
  severity: 'error' | 'warning';
  code: string;
  /** `PAWL1002: what is wrong. What to write instead.` and the call chain, a line for each hop. */
  message: string;
  /** Absolute path, or null when it is about no file. */
  file: string | null;
  /** The same, relative to the root. */
  relativeFile: string | null;
  /** From 1; 0 without a file. */
  line: number;
  column: number;
  /** Characters on that line that it is about, at least 1. */
  length: number;
  lineText: string;
  /** The lines around with the place underlined; empty when the text is not at hand. */
  frame: string;
}

/**
 * A build with everything that it found as bundlers show their own errors: an exception of the build itself included.
 *
 * @param session - kept from build to build
 * @param root - absolute folder that files are relative to
 * @returns errors first; info is left out
 * @example
 * const session = createBuildSession({ root });
 * for (const { message, file, line } of (await reportBuild(session, root)).findings) console.error(`${file}:${line} ${message}`);
 */
export async function reportBuild(
  session: BuildSession,
  root: string,
): Promise<{ result: BuildResult | null; findings: ReportedFinding[] }> {
  try {
    const result = await session.build();
    const findings = result.diagnostics.flatMap((diagnostic) => reported(diagnostic, session, root) ?? []);
    return { result, findings: findings.sort((a, b) => rank(a) - rank(b)) };
  } catch (error) {
    if (!(error instanceof PawlError)) throw error;
    const place = error.place ? ` (${error.place})` : '';
    const message = `${error.code}: ${error.message}${place}${error.remedy ? ` ${error.remedy}` : ''}`;
    const nowhere = { file: null, relativeFile: null, line: 0, column: 0, length: 1, lineText: '', frame: '' };
    return { result: null, findings: [{ severity: 'error', code: error.code, message, ...nowhere }] };
  }
}

const rank = ({ severity }: ReportedFinding): number => (severity === 'error' ? 0 : 1);

function reported(diagnostic: Diagnostic, session: BuildSession, root: string): ReportedFinding | null {
  const { code, severity, file, span, related } = diagnostic;
  if (severity === 'info') return null;
  const text = session.source(file);
  const chain = related.map((hop) => `\n  ${hop.file}:${hop.span.line}:${hop.span.column} ${hop.message}`).join('');
  const lineText = text?.split(/\r\n|[\n\r\u2028\u2029]/)[span.line - 1] ?? '';
  const end = span.endLine > span.line ? lineText.length + 1 : span.endColumn;
  return {
    severity,
    code,
    message: `${code}: ${fullMessage(diagnostic)}${chain}`,
    file: file === '' ? null : resolve(root, file),
    relativeFile: file === '' ? null : file,
    line: span.line,
    column: span.column,
    length: Math.max(1, end - span.column),
    lineText,
    frame: text === null ? '' : codeFrame(text, span, { colors: createColors(false) }),
  };
}
