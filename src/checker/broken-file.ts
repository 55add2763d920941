import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { createDiagnostic } from '../diagnostics/create.ts';
import { Positions } from '../diagnostics/positions.ts';
import type { Diagnostic } from '../diagnostics/types.ts';
import { type BrokenFile, toRelative } from './disk-resolve.ts';

/** The finding about a `tsconfig.json` or `package.json` of the project that does not parse. */
export function brokenFile(root: string, { file, message, line, column }: BrokenFile): Diagnostic {
  const text = textOf(file);
  const positions = new Positions(text);
  const start = Math.min((positions.lineStarts[line - 1] ?? 0) + Math.max(0, column - 1), text.length);
  return createDiagnostic('configuration-error', {
    file: toRelative(root, file),
    span: positions.span(start, Math.min(start + 1, text.length)),
    message: `${message.startsWith('it ') ? 'This cannot be used' : 'This file does not parse'}: ${message}. Imports were resolved without it.`,
    remedy:
      basename(file) === 'package.json'
        ? 'Repair it; `npm pkg get name` tells whether npm can read it.'
        : 'Repair it; `npx tsc --showConfig` tells more.',
  });
}

/** It may be gone by now. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
