import type { Program } from '../../rules/program.ts';
import { reachedCode } from '../../rules/reached.ts';
import { isSdk } from '../../sdks.ts';
import type { TypeSources } from './backend.ts';

/**
 * What a check asks a backend about.
 *
 * @param root - absolute real path with `/`
 * @param overlays - texts that lie over the disk, by file relative to the root
 * @param generation - see `TypeSources`
 */
export function typeSources(
  root: string,
  program: Program,
  overlays: ReadonlyMap<string, string>,
  generation: number,
): TypeSources {
  const files: string[] = [];
  const serializable: TypeSources['serializable'][number][] = [];
  for (const { file, functions, definitions, shapes } of program.modules) {
    if (functions.length > 0 || definitions.length > 0) files.push(file);
    for (const { serialize, nameSpan } of shapes ?? [])
      if (serialize) serializable.push({ file, start: nameSpan.start, end: nameSpan.end });
  }
  return { root, files, overlays, generation, serializable };
}

/**
 * Whether rules could find something by types in the files that are reported: where steps, workflows and definitions are, where
 * workflow code calls them, and where an SDK is used. Elsewhere TypeScript need not be loaded.
 *
 * @param reported - relative to the root; null for all
 */
export function mayNeedTypes(program: Program, reported: ReadonlySet<string> | null): boolean {
  if (reported === null) return true;
  const hasBoundary = program.modules.some(
    ({ file, functions, definitions, imports }) =>
      reported.has(file) &&
      (functions.length > 0 || definitions.length > 0 || imports.some(({ source }) => isSdk(source))),
  );
  return hasBoundary || reachedCode(program, 'workflow').places.some(({ module }) => reported.has(module.file));
}
