import {
  type InputOptions,
  type OutputChunk,
  type Plugin,
  type RolldownError,
  type RolldownLog,
  rolldown,
} from 'rolldown';
import { literalFile } from '../checker/disk-resolve.ts';
import { EXTENSION_ALIAS, EXTENSIONS } from '../checker/resolution.ts';
import { PawlError } from '../errors.ts';
import { lowerAccessors } from './accessors.ts';
import { type ChunkSyntax, disableImports, findChunkSyntax } from './chunk-syntax.ts';
import type { RawMap } from './maps.ts';

/** Names of modules that are no files begin with this; NUL is the convention of rolldown's plugins for such. */
export const VIRTUAL = '\0pawl:';
const ENTRY = `${VIRTUAL}entry`;

export interface BundleRequest {
  root: string;
  outDir: string;
  /** Code of the entry module. Imports are absolute paths. */
  entry: string;
  platform: 'neutral' | 'node';
  format: 'iife' | 'esm';
  plugins: Plugin[];
  /** Folders of packages besides those above each module. */
  packages: readonly string[];
  /** Whether something of the output will have to be led back to who imports it. */
  wantsImporters: (chunk: Pick<OutputChunk, 'moduleIds' | 'imports'>, assets: readonly string[]) => boolean;
  /** Whether to look for modules that import each other in a circle. */
  wantsCycles?: boolean;
  options?: Pick<InputOptions, 'treeshake' | 'transform'> & { conditionNames?: string[]; aliasFields?: string[][] };
}

export interface BundleOutput {
  code: string;
  /** Leads to what `load` gave, not yet to the user's files. Sources are relative to `outDir`. */
  map: RawMap;
  /** Modules of which code is in the bundle. */
  modules: readonly string[];
  /** Every file that was looked at, whether code of it is left or not. */
  files: readonly string[];
  imports: readonly string[];
  /** Files that are no modules: something imports them all the same. */
  assets: readonly string[];
  /** What is left in the code that cannot stay. */
  syntax: ChunkSyntax;
  /** Warnings of rolldown. */
  logs: readonly RolldownLog[];
  /** Modules that import each other in a circle, first and last the same; empty unless asked for. */
  cycles: readonly (readonly string[])[];
  /** Who imports whom; empty when `wantsImporters` said no. */
  importers: ReadonlyMap<string, readonly string[]>;
}

export type BundleResult = { ok: true; output: BundleOutput } | { ok: false; errors: readonly RolldownLog[] };

/** Runs rolldown in memory. What it finds wrong in the user's code comes back as data. */
export async function bundle(request: BundleRequest): Promise<BundleResult> {
  const {
    root,
    outDir,
    entry,
    platform,
    format,
    plugins,
    packages,
    wantsImporters,
    wantsCycles,
    options = {},
  } = request;
  const { conditionNames, aliasFields, ...rest } = options;
  const logs: RolldownLog[] = [];
  const importers = new Map<string, readonly string[]>();
  const files: string[] = [];
  const assets: string[] = [];
  const main: Plugin = {
    name: 'pawl:entry',
    resolveId: { order: 'pre', filter: { id: new RegExp(`^${ENTRY}$`) }, handler: (id) => id },
    load: { order: 'pre', filter: { id: new RegExp(`^${ENTRY}$`) }, handler: () => entry },
    generateBundle(_options, output) {
      const ids = [...this.getModuleIds()];
      files.push(...ids.filter((id) => !id.startsWith('\0')));
      const [chunk] = Object.values(output);
      // Asked of every module it takes longer than the modules take to link; most bundles give no reason.
      if (chunk?.type !== 'chunk' || !wantsImporters(chunk, assets)) return;
      for (const id of ids) {
        const info = this.getModuleInfo(id);
        importers.set(id, info ? [...info.importers, ...info.dynamicImporters] : []);
      }
    },
  };
  const literal: Plugin = {
    name: 'pawl:literal',
    resolveId: {
      order: 'pre',
      filter: { id: /\?/ },
      handler: (id, importer) => (/^[./\\]|^[A-Za-z]:/.test(id) ? literalFile(id, importer ?? id) : null),
    },
  };
  const others: Plugin = {
    name: 'pawl:assets',
    load: {
      filter: { id: { include: /\.[^./\\]+$/, exclude: [/\.(?:[cm]?[jt]sx?|json)$/, /^\0/] } },
      handler(id) {
        assets.push(id);
        return { code: 'export default undefined;', moduleType: 'js' };
      },
    },
  };
  let build: Awaited<ReturnType<typeof rolldown>> | undefined;
  try {
    build = await rolldown({
      input: { main: ENTRY },
      cwd: root,
      platform,
      ...rest,
      tsconfig: true,
      resolve: {
        extensions: EXTENSIONS,
        extensionAlias: EXTENSION_ALIAS,
        mainFields: ['module', 'main'],
        modules: ['node_modules', ...packages],
        ...(conditionNames && { conditionNames }),
        ...(aliasFields && { aliasFields }),
      },
      experimental: { attachDebugInfo: 'none' },
      checks: { circularDependency: wantsCycles === true },
      onLog: (level, log) => {
        if (level === 'warn') logs.push(log);
      },
      plugins: [main, literal, ...plugins, others, lowerAccessors()],
    });
    const { output } = await build.generate({
      dir: outDir,
      entryFileNames: 'bundle.js',
      format,
      sourcemap: 'hidden',
      codeSplitting: false,
      minify: false,
      comments: false,
    });
    const chunk = output[0] as OutputChunk;
    const syntax = findChunkSyntax(chunk.code);
    return {
      ok: true,
      output: {
        code: format === 'iife' ? disableImports(chunk.code, syntax) : chunk.code,
        syntax,
        map: (chunk.map as unknown as RawMap | null) ?? NO_MAP,
        modules: chunk.moduleIds,
        files,
        imports: [...chunk.imports, ...chunk.dynamicImports],
        assets,
        logs,
        cycles: logs.flatMap(({ code, ids }) => (code === 'CIRCULAR_DEPENDENCY' && ids ? [ids] : [])),
        importers,
      },
    };
  } catch (error) {
    const { errors } = error as { errors?: readonly RolldownError[] };
    if (!errors || errors.length === 0) throw internal(error);
    return { ok: false, errors };
  } finally {
    await build?.close();
  }
}

/** Of a chunk without any code of a module. */
const NO_MAP: RawMap = { version: 3, sources: [], names: [], mappings: '' };

/** A failure of rolldown itself: nothing that the user's code could be blamed for. */
function internal(error: unknown): PawlError {
  return new PawlError('PAWL_BUNDLER_FAILED', `The bundler failed: ${firstLine((error as Error).message)}`, {
    remedy: 'This is a defect of pawl or of rolldown; please report it with the input that led to it.',
    cause: error,
  });
}

export function firstLine(message: string): string {
  return (message.split('\n')[0] ?? '').replace(/^\[[A-Z_]+\] /, '').trim();
}
