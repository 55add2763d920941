import type { Plugin } from 'rolldown';
import type { CompatSdk } from '../sdk-names.ts';
import { type BundleResult, bundle } from './rolldown.ts';
import { sdkNames } from './sdk-imports.ts';
import { stubbedModule, virtualModules } from './virtual.ts';

/** What the bundler gets for a file: the transformed text. */
export type LoadModule = (path: string) => string | null;

export interface WorkflowBundleRequest {
  root: string;
  outDir: string;
  /** Absolute paths of the modules that register something or change what workflows read. */
  entries: readonly string[];
  /** Packages that are imported for what they change. */
  bare: readonly { specifier: string; importer: string }[];
  packages: readonly string[];
  /** SDKs whose import names lead to pawl. */
  compat: readonly CompatSdk[];
  /** Code of a user's module in the workflow target, absolute path; null for a file that the bundler shall read itself. */
  load: LoadModule;
  /** Told of a module of a package that seems to have a directive; returns whether `load` has code of it. */
  installed: (path: string) => boolean;
}

/**
 * What workflows need may not have effects of its own, so a module that registers nothing, and whatever is only read, leaves when
 * nothing uses it: a workflow module that imports a step's SDK does not carry it into the sandbox.
 */
const TREESHAKE = {
  moduleSideEffects: [{ test: /^(?!\0pawl:entry)/, sideEffects: false }],
  propertyReadSideEffects: false,
  unknownGlobalSideEffects: false,
} as const;

/** Builds that packages make for places without Node come first: they take randomness and time from globals, as the sandbox does. */
const CONDITIONS = ['workflow', 'edge-light', 'worker', 'browser', 'import', 'module', 'default'];

/** Bundles everything that workflows need into one immediately invoked function; packages are inlined. */
export function bundleWorkflows({
  root,
  outDir,
  entries,
  bare,
  packages,
  compat,
  load,
  installed,
}: WorkflowBundleRequest): Promise<BundleResult> {
  return bundle({
    root,
    outDir,
    packages,
    entry: [...bare.map((_, i) => BARE + i), ...entries].map((path) => `import ${JSON.stringify(path)};\n`).join(''),
    platform: 'neutral',
    format: 'iife',
    plugins: [
      ...bareImports(bare),
      ...sdkNames(compat),
      virtualModules(),
      userModules(load, entries),
      installedModules(load, installed),
    ],
    wantsImporters: ({ moduleIds, imports }, assets) =>
      assets.length > 0 || imports.length > 0 || moduleIds.some((id) => stubbedModule(id) !== null),
    options: {
      treeshake: { ...TREESHAKE, moduleSideEffects: [...TREESHAKE.moduleSideEffects] },
      conditionNames: CONDITIONS,
      aliasFields: [['browser']],
      transform: {
        target: 'node20.19',
        define: { 'process.env.NODE_ENV': '"production"' },
      },
    },
  });
}

const BARE = 'pawl-bare:';

/** Resolves what stands for the bare import of a package from where it was written, and lets the module have its effects. */
function bareImports(bare: WorkflowBundleRequest['bare']): Plugin[] {
  if (bare.length === 0) return [];
  const ids = new Set<string>();
  return [
    {
      name: 'pawl:bare',
      resolveId: {
        order: 'pre',
        filter: { id: new RegExp(`^${BARE}`) },
        async handler(id) {
          const { specifier, importer } = bare[Number(id.slice(BARE.length))] ?? {};
          const resolved = specifier === undefined ? null : await this.resolve(specifier, importer as never);
          if (resolved) ids.add(resolved.id);
          return resolved;
        },
      },
      transform: {
        filter: { id: /[\\/]node_modules[\\/]/ },
        handler: (code, id) => (ids.has(id) ? { code, map: null, moduleSideEffects: true } : null),
      },
    },
  ];
}

/** A package may bring steps of its own: what has a directive is never taken as it is. */
export function installedModules(load: LoadModule, installed: (path: string) => boolean): Plugin {
  return {
    name: 'pawl:installed',
    transform: {
      filter: {
        id: /[\\/]node_modules[\\/].*\.[cm]?[jt]sx?$/,
        code: /['"]use (?:step|workflow)['"]|\bdefine(?:Action|Workflow|Agent)\b/,
      },
      handler(_code, id) {
        const code = installed(id) ? load(id) : null;
        return code === null ? null : { code, map: null, moduleSideEffects: true };
      },
    },
  };
}

/**
 * Gives the bundler the texts that the build has in hand.
 *
 * @param entries - modules that register something: they stay, even where `package.json` says `"sideEffects": false`
 */
export function userModules(load: LoadModule, entries: readonly string[]): Plugin {
  const registering = new Set(entries);
  return {
    name: 'pawl:modules',
    load: {
      filter: { id: { include: /\.[cm]?[jt]sx?$/, exclude: [/[\\/]node_modules[\\/]/, /^\0/] } },
      handler(id) {
        const code = load(id);
        if (code === null) return null;
        return registering.has(id) ? { code, moduleSideEffects: true } : { code };
      },
    },
  };
}
