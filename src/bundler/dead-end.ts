import { parseAst } from 'rolldown/parseAst';
import { createDiagnostic } from '../diagnostics/create.ts';
import { Positions } from '../diagnostics/positions.ts';
import type { Diagnostic } from '../diagnostics/types.ts';
import type { DiagnoseContext } from './diagnose.ts';

interface Node {
  type: string;
  start: number;
  body?: unknown;
}

/** The bundler begins what stands at the top level at the first column. Most programs are not parsed. */
const LIKELY = /^(?:throw\b|\{)/m;

/**
 * A `throw` that every load of the program meets: at the top level of a module, under no condition or under one that the bundler found
 * to be always true. The program could be built and never run; what would be registered behind it may be dropped, too.
 *
 * @param code - the step bundle, which holds every module
 * @returns a finding at the `throw`, or null when there is none in the user's own code
 */
export function diagnoseThrow(code: string, { files, locate }: DiagnoseContext): Diagnostic | null {
  const offset = LIKELY.test(code) ? findThrow(parseAst(code) as unknown as Node) : null;
  if (offset === null) return null;
  const { line, column } = new Positions(code).at(offset);
  const place = locate(line, column);
  if (!place) return null;
  const positions = new Positions(files.get(place.file)?.text ?? '');
  const start = (positions.lineStarts[place.line - 1] ?? 0) + place.column - 1;
  return createDiagnostic('unbundlable-module', {
    file: place.file,
    span: positions.span(start, start + 'throw'.length),
    message: 'This `throw` is met whenever the module is loaded: no step or workflow of the program could ever run.',
    remedy:
      'Remove it, or make it depend on something that is known only at run time. What a step needs is best checked within the step.',
  });
}

function findThrow({ body }: Node): number | null {
  for (const statement of Array.isArray(body) ? (body as Node[]) : []) {
    if (statement.type === 'ThrowStatement') return statement.start;
    const found = statement.type === 'BlockStatement' ? findThrow(statement) : null;
    if (found !== null) return found;
  }
  return null;
}
