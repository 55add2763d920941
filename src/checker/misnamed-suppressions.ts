import { parseModule } from '../compiler/parse/parse.ts';
import { createDiagnostic } from '../diagnostics/create.ts';
import { Positions } from '../diagnostics/positions.ts';
import type { Diagnostic } from '../diagnostics/types.ts';

/** `pawl-ignore-next-line` and the like, as other tools have it. */
const NAME = /^[\s*]*(pawl-ignore-[\w-]+)/;

/**
 * Comments that look like suppressions and are none: nothing would be said of them, and nothing held back by them.
 *
 * @param text - without a byte order mark
 */
export function misnamedSuppressions(file: string, text: string): Diagnostic[] {
  if (!text.includes('pawl-ignore-')) return [];
  const positions = new Positions(text);
  return parseModule(text, file).comments.flatMap(({ value, start }) => {
    const match = NAME.exec(value);
    if (!match || typeof start !== 'number') return [];
    const name = match[1] as string;
    const at = start + 2 + match[0].length - name.length;
    const end = at + name.length;
    return createDiagnostic('unknown-suppression-code', {
      file,
      span: positions.span(at, end),
      message: `There is no comment \`${name}\`, so this suppresses nothing.`,
      remedy:
        'Write `pawl-ignore`: on a line of its own it speaks of the next line of code, beside code of its own line.',
      // Elsewhere it would speak of something else than is meant.
      ...(name === 'pawl-ignore-next-line' && {
        fix: { title: 'Write `pawl-ignore`', edits: [{ start: at, end, text: 'pawl-ignore' }] },
      }),
    });
  });
}
