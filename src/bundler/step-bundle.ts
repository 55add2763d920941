import { realpathSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Plugin } from 'rolldown';
import type { CompatSdk } from '../sdk-names.ts';
import { withSlashes } from '../checker/disk-resolve.ts';
import { AGENT_STEPS } from './agents.ts';
import { FETCH_STEP } from './fetch-step.ts';
import { placeHelper } from './module-place.ts';
import { isOwnFile, ownFiles } from './own.ts';
import { type BundleResult, bundle, VIRTUAL } from './rolldown.ts';
import { sdkNames } from './sdk-imports.ts';
import { helperModule } from './virtual.ts';
import { installedModules, type LoadModule, userModules } from './workflow-bundle.ts';

export interface StepBundleRequest {
  root: string;
  outDir: string;
  /** Absolute paths of the modules that register something, sorted. */
  entries: readonly string[];
  packages: readonly string[];
  /** SDKs whose import names lead to pawl. */
  compat: readonly CompatSdk[];
  /** Code of a user's module in the step target; null for a file that the bundler shall read itself. */
  load: LoadModule;
  /** Packages as they are written, or as absolute file URLs, for a bundle that stands where Node would not find them. */
  externals: 'specifier' | 'url';
  /** Whether a file of a package is a module of the build: it is bundled then. */
  installed: (path: string) => boolean;
  /** Kept from build to build as long as imports lead where they led. */
  resolutions: Map<string, Resolution>;
  /** Whether the program takes `fetch` of pawl. */
  fetches: boolean;
  /** Of a program with agents. */
  agents: AgentsRequest | null;
}

export interface AgentsRequest {
  /** Absolute path of the configuration that names providers of models; null when none does. */
  providers: string | null;
}

/** Where a bare import leads: out of the bundle, or to a file in it. */
type Resolution = { id: string; external?: boolean } | null;

/** What compiled code calls in the step target, and what the bundle exports. */
export const STEP_API = [
  'step',
  'closure',
  'factory',
  'bound',
  'ref',
  'workflow',
  'direct',
  'cls',
  'action',
  'workflowDefinition',
  'agent',
] as const;

const STEP = `${VIRTUAL}step`;
const AGENTS = `${VIRTUAL}agents`;
const FETCH = `${VIRTUAL}fetch`;
const CONFIG = `${VIRTUAL}config`;
/** Where a folder of packages begins in a path. */
const PACKAGES = /[\\/]node_modules[\\/]/;

/** Bundles the user's source for Node. Packages stay imports; pawl itself is inlined, so each bundle has its own registry. */
export function bundleSteps(request: StepBundleRequest): Promise<BundleResult> {
  const { root, outDir, entries, packages, compat, load, installed } = request;
  const extras = [...(request.agents ? [AGENTS] : []), ...(request.fetches ? [FETCH] : [])];
  const imports = ['pawl/internal/step', ...extras, ...entries]
    .map((path) => `import ${JSON.stringify(path)};\n`)
    .join('');
  return bundle({
    root,
    outDir,
    packages,
    entry: `${imports}export { registry } from 'pawl/internal/step';\n`,
    platform: 'node',
    format: 'esm',
    plugins: [
      ...sdkNames(compat),
      ownModules(request),
      placeHelper(),
      externalPackages(request),
      userModules(load, entries),
      installedModules(load, installed),
    ],
    wantsImporters: (_chunk, assets) => assets.length > 0,
    wantsCycles: true,
    options: { transform: { target: 'node20.19' } },
  });
}

/** `pawl` and the helpers of compiled code are those of the pawl that builds. What it loads when it is needed stays outside. */
function ownModules({ agents, externals }: StepBundleRequest): Plugin {
  const own = ownFiles();
  const oauth = externals === 'url' ? pathToFileURL(own.entry('internal/oauth')).href : 'pawl/internal/oauth';
  const modules: Record<string, string> = {
    pawl: own.api,
    'pawl/agent': own.agent,
    'pawl/internal/step': STEP,
    'pawl/config': CONFIG,
    [AGENTS]: AGENTS,
    [FETCH]: FETCH,
  };
  const texts: Record<string, () => string> = {
    [STEP]: () =>
      `import * as own from ${JSON.stringify(own.step)};\n` +
      helperModule((name) => `own.${name}`, STEP_API) +
      `export { registry } from ${JSON.stringify(own.step)};\n`,
    [AGENTS]: () => agentsModule(agents),
    [FETCH]: () =>
      `import { step } from 'pawl/internal/step';\nimport { fetch } from 'pawl';\nstep(${JSON.stringify(FETCH_STEP)}, fetch);\n`,
    // All that the configuration of a project needs at run time.
    [CONFIG]: () => 'export const defineConfig = (config) => config;\n',
  };
  return {
    name: 'pawl:own',
    resolveId: {
      order: 'pre',
      filter: {
        id: [new RegExp(`^(?:pawl(?:/agent|/config|/internal/step)?|${AGENTS}|${FETCH})$`), /\/oauth\.[jt]s$/],
      },
      handler: (id, importer) =>
        modules[id] ?? (importer && isOwnFile(importer) ? { id: oauth, external: true } : null),
    },
    load: {
      order: 'pre',
      filter: { id: new RegExp(`^(?:${STEP}|${AGENTS}|${FETCH}|${CONFIG})$`) },
      handler: (id) => ({ code: texts[id]?.() ?? '', moduleSideEffects: id === AGENTS || id === FETCH }),
    },
  };
}

/** Registers the steps of the agent loop, and tells it where providers of models are. */
function agentsModule(agents: AgentsRequest | null): string {
  const own = JSON.stringify(ownFiles().agentStep);
  const steps = `import { step } from 'pawl/internal/step';
import { callModel, useProviders, writeChunks } from ${own};
step(${JSON.stringify(AGENT_STEPS.callModel)}, callModel);
step(${JSON.stringify(AGENT_STEPS.write)}, writeChunks);
`;
  if (!agents?.providers) return steps;
  return `${steps}import * as config from ${JSON.stringify(agents.providers)};
useProviders(() => config.default);
`;
}

/** Leaves packages outside of the bundle, where Node will find them; a path or an alias that leads to the user's source is bundled. */
function externalPackages({ root, outDir, externals, installed, resolutions }: StepBundleRequest): Plugin {
  return {
    name: 'pawl:externals',
    resolveId: {
      filter: { id: /^(?![./\0]|[A-Za-z]:[\\/]|node:)/ },
      async handler(id, importer, { kind }) {
        if (importer && isOwnFile(importer)) return id === 'ai' ? await aiSdk(this, root, importer, externals) : null;
        const own = /^pawl\/(.+)$/.exec(id)?.[1];
        // Once more in the bundle, `pawl/client` would know nothing of the worker.
        if (own) return { id: externals === 'url' ? pathToFileURL(ownFiles().entry(own)).href : id, external: true };
        const key = `${kind}\0${dirname(importer ?? '')}\0${id}`;
        const known = resolutions.get(key);
        if (known !== undefined) return known;
        const resolved = await this.resolve(id, importer as never, { kind, skipSelf: true });
        if (!resolved) return null;
        const { external, id: path } = resolved;
        const inside = external || !PACKAGES.test(path) || installed(path);
        const resolution = inside ? { id: path, external: external !== false } : outside(id, path, outDir, externals);
        resolutions.set(key, resolution);
        return resolution;
      },
    },
  };
}

type PluginContext = ThisParameterType<Extract<Plugin['buildStart'], (...args: never[]) => unknown>>;

/** The AI SDK is the project's: it is looked for when an agent needs it, and stays outside whether it is there or not. */
async function aiSdk(
  context: PluginContext,
  root: string,
  importer: string,
  externals: StepBundleRequest['externals'],
): Promise<{ id: string; external: true }> {
  if (externals === 'specifier') return { id: 'ai', external: true };
  for (const from of [join(root, 'index.js'), importer]) {
    const resolved = await context.resolve('ai', from as never, { skipSelf: true });
    if (resolved && !resolved.external) return { id: pathToFileURL(resolved.id).href, external: true };
  }
  return { id: 'ai', external: true };
}

function outside(specifier: string, path: string, outDir: string, externals: 'specifier' | 'url'): Resolution {
  if (externals === 'url') return { id: pathToFileURL(path).href, external: true };
  return { id: reachable(specifier, path, outDir) ? specifier : relativeTo(outDir, path), external: true };
}

/** Whether Node, asked from the output folder, finds the very package that the importer's folder gives. */
function reachable(specifier: string, resolved: string, outDir: string): boolean {
  if (specifier.startsWith('#')) return false;
  const name = /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
  for (let folder = outDir; ; folder = dirname(folder)) {
    const real = realPathOf(join(folder, 'node_modules', name));
    if (real !== null) return resolved.startsWith(real + sep);
    if (dirname(folder) === folder) return false;
  }
}

function realPathOf(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}

function relativeTo(outDir: string, path: string): string {
  const file = withSlashes(relative(outDir, path));
  return file.startsWith('.') ? file : `./${file}`;
}
