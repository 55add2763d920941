/**
 * Code that runs inside the workflow realm is written as TypeScript and needed as text: `import code from './main.ts?realm'`
 * gives one script, an immediately invoked function without imports, bundled from that entry. Works in Vite (tests) and in
 * rolldown (our own build), which share their plugin hooks.
 */
import { dirname, resolve } from 'node:path';
import { rolldown, type Plugin } from 'rolldown';

const QUERY = '?realm';
const PREFIX = '\0pawl-realm:';
const SUFFIX = '.js';
const NAME = 'pawlRealm';

/**
 * Bundles one realm entry.
 *
 * @param entry absolute path of the TypeScript entry
 * @returns the script, whose value is the object of the entry's exports (if it has any), and the files it was made of
 * @throws when an import is left in it: inside the realm there is nothing to import from
 */
export async function bundleRealm(entry: string): Promise<{ code: string; files: string[] }> {
  const bundle = await rolldown({
    input: entry,
    platform: 'neutral',
    resolve: { mainFields: ['module', 'main'] },
    logLevel: 'silent',
    treeshake: { moduleSideEffects: true },
  });
  try {
    const { output } = await bundle.generate({
      format: 'iife',
      name: NAME,
      codeSplitting: false,
    });
    const [chunk] = output;
    const left = [...chunk.imports, ...chunk.dynamicImports];
    if (left.length > 0) throw new Error(`${entry}: the realm has no modules, yet ${left.join(', ')} is imported.`);
    const code =
      chunk.exports.length === 0 ? chunk.code : `(function () { ${chunk.code.trimEnd()}\nreturn ${NAME};\n})();\n`;
    return { code, files: chunk.moduleIds.filter((id) => !id.startsWith('\0')) };
  } finally {
    await bundle.close();
  }
}

/** The plugin for `rolldown`, `tsdown` and `vite`. */
export function realm(): Plugin & { enforce: 'pre' } {
  return {
    name: 'pawl-realm',
    enforce: 'pre',
    resolveId(source, importer) {
      if (!source.endsWith(QUERY)) return null;
      const file = source.slice(0, -QUERY.length);
      return PREFIX + resolve(importer ? dirname(importer) : '.', file) + SUFFIX;
    },
    async load(id) {
      if (!id.startsWith(PREFIX)) return null;
      const { code, files } = await bundleRealm(id.slice(PREFIX.length, -SUFFIX.length));
      for (const file of files) this.addWatchFile(file);
      return { code: `export default ${JSON.stringify(code)};`, map: null };
    },
  };
}
