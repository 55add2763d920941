import { dirname } from 'node:path';
import type ts from 'typescript';
import { withSlashes } from '../disk-resolve.ts';
import type { TypeScript } from './classic-model.ts';

/** By the TypeScript that parsed them. */
const platforms = new WeakMap<TypeScript, ts.DocumentRegistry>();

/**
 * Where a language service keeps what it has parsed. What TypeScript itself declares of the language and the platform (`lib.dom.d.ts`
 * and the like, half of what a small project reads) is kept for the process, for all projects and sessions in it; everything else goes with
 * the services that use it.
 */
export function createRegistry(api: TypeScript): ts.DocumentRegistry {
  const own = makeRegistry(api);
  const platform = platforms.get(api) ?? makeRegistry(api);
  platforms.set(api, platform);
  // Files are released by their canonical names.
  const canonical = (file: string): string => (api.sys.useCaseSensitiveFileNames ? file : file.toLowerCase());
  const folder = canonical(`${withSlashes(dirname(api.getDefaultLibFilePath({})))}/lib.`);
  const isPlatform = (file: string): boolean =>
    canonical(file).startsWith(folder) && !file.includes('/', folder.length);
  const keeper = (file: string): ts.DocumentRegistry => (isPlatform(file) ? platform : own);
  return {
    ...own,
    acquireDocument: (file, ...rest) => keeper(file).acquireDocument(file, ...rest),
    acquireDocumentWithKey: (file, ...rest) => keeper(file).acquireDocumentWithKey(file, ...rest),
    updateDocument: (file, ...rest) => keeper(file).updateDocument(file, ...rest),
    updateDocumentWithKey: (file, ...rest) => keeper(file).updateDocumentWithKey(file, ...rest),
    releaseDocument(file: string, ...rest: unknown[]) {
      if (!isPlatform(file)) Reflect.apply(own.releaseDocument, own, [file, ...rest]);
    },
    releaseDocumentWithKey(path: ts.Path, ...rest: unknown[]) {
      if (!isPlatform(path)) Reflect.apply(own.releaseDocumentWithKey, own, [path, ...rest]);
    },
  };
}

function makeRegistry(api: TypeScript): ts.DocumentRegistry {
  const { ParseForTypeErrors } = api.JSDocParsingMode;
  return api.createDocumentRegistry(api.sys.useCaseSensitiveFileNames, undefined, ParseForTypeErrors);
}
