import type ts from 'typescript';
import { createTypes, type TypeBackend } from '../checker/index.ts';
import { classicTypes } from '../checker/types/classic.ts';

/**
 * Types out of programs that an editor keeps anyway, so that none is made a second time.
 *
 * @param root - absolute path of the project
 * @param api - the TypeScript of these programs
 * @param programOf - the program that a file (absolute) belongs to
 */
export function typesOfPrograms(
  root: string,
  api: typeof ts,
  programOf: (file: string) => ts.Program | undefined,
): TypeBackend {
  const name = `TypeScript ${api.version}`;
  const load = (): TypeBackend => ({
    name,
    notices: [],
    open: (sources) => classicTypes(api, programOf, sources),
    dispose: () => {},
  });
  return createTypes({ root, candidates: () => ({ found: [{ name, load }], reasons: [] }) });
}
