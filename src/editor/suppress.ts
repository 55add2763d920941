import { analyze } from '../compiler/index.ts';
import type { Diagnostic, TextEdit } from '../diagnostics/types.ts';

/** What stands for the reason until a person writes it. */
const PLACEHOLDER = 'reason';

/**
 * The edit that suppresses a finding: its code is added to a comment that already speaks of its line, else a comment is put on
 * a line of its own before it. In the middle of a template literal or of JSX such a line would be text, so the edit is tried
 * out first.
 *
 * @returns null where no comment would do
 */
export function suppression(
  file: string,
  text: string,
  { code, span }: Pick<Diagnostic, 'code' | 'span'>,
): (TextEdit & { placeholder: string | null }) | null {
  for (const edit of candidates(file, text, code, span)) {
    const after = text.slice(0, edit.start) + edit.text + text.slice(edit.end);
    const line = span.line + lineEnds(edit.text);
    const { suppressions } = analyze(after, { filename: file }).facts;
    if (suppressions.some((fact) => fact.line === line && fact.codes.some((each) => each.code === code))) return edit;
  }
  return null;
}

function* candidates(
  file: string,
  text: string,
  code: string,
  span: Diagnostic['span'],
): Iterable<TextEdit & { placeholder: string | null }> {
  for (const { line, codes } of analyze(text, { filename: file }).facts.suppressions) {
    const last = codes.at(-1);
    if (line !== span.line || !last) continue;
    yield { start: last.span.end, end: last.span.end, text: `, ${code}`, placeholder: null };
  }
  const start = lineStart(text, span.start);
  const indent = /^[^\S\r\n]*/.exec(text.slice(start))?.[0] ?? '';
  const comment = `pawl-ignore ${code} -- ${PLACEHOLDER}`;
  const lineEnd = /\r\n|\n|\r/.exec(text)?.[0] ?? '\n';
  const alone = (body: string): TextEdit & { placeholder: string } => ({
    start,
    end: start,
    text: `${indent}${body}${lineEnd}`,
    placeholder: PLACEHOLDER,
  });
  yield alone(`// ${comment}`);
  yield alone(`{/* ${comment} */}`);
}

/** Where the line of an offset begins, as ECMAScript ends lines. */
function lineStart(text: string, offset: number): number {
  let start = offset;
  while (start > 0 && !/[\n\r\u2028\u2029]/.test(text[start - 1] as string)) start--;
  return start;
}

function lineEnds(text: string): number {
  return text.match(/\r\n|[\n\r]/g)?.length ?? 0;
}
