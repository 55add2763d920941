import type { Program } from '../../rules/program.ts';
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
