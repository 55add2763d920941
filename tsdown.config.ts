import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'rolldown';
import { defineConfig } from 'tsdown';
import { realm } from './realm.plugin.ts';

const entries = {
  index: 'src/index.ts',
  client: 'src/runtime/client.ts',
  agent: 'src/agents/agent-entry.ts',
  runtime: 'src/runtime/index.ts',
  testing: 'src/testing/index.ts',
  compiler: 'src/compiler/index.ts',
  checker: 'src/checker/index.ts',
  manifest: 'src/manifest/index.ts',
  build: 'src/bundler/index.ts',
  config: 'src/config/index.ts',
  editor: 'src/editor/index.ts',
  linter: 'src/linter/index.ts',
  'language-server': 'plugins/language-server.ts',
  'internal/step': 'src/internal/step.ts',
  'internal/client': 'src/internal/client.ts',
  'internal/agent-loop': 'src/internal/agent-loop.ts',
  'internal/agent-step': 'src/internal/agent-step.ts',
  'internal/serde': 'src/internal/serde.ts',
  'internal/workflow-ai': 'src/internal/workflow-ai.ts',
  'internal/keystroke': 'src/internal/keystroke.ts',
  'internal/oauth': 'src/agents/oauth.ts',
  vite: 'plugins/vite.ts',
  webpack: 'plugins/webpack.ts',
  esbuild: 'plugins/esbuild.ts',
  eslint: 'plugins/eslint.ts',
  cli: 'src/cli/bin.ts',
};

const common = {
  platform: 'node',
  target: 'node20.19',
  report: false,
  checks: { pluginTimings: false, legacyCjs: false },
  logLevel: 'warn',
} as const;

export default defineConfig([
  {
    ...common,
    entry: Object.fromEntries(Object.entries(entries).filter(([, file]) => existsSync(file))),
    format: 'esm',
    fixedExtension: false,
    sourcemap: true,
    dts: { sourcemap: false },
    deps: {
      // They are many small files, whose loading takes most of the time in which a process starts; types still come from the package.
      alwaysBundle: (id, importer) => /^(?:zod|devalue)$/.test(id) && importer?.endsWith('.d.ts') !== true,
    },
    plugins: [realm(), licenses()],
  },
  // tsserver reads no `exports`: it takes `pawl/tsserver` for a folder, and what the `main` of its package.json names for CommonJS.
  // Some editors run it on a Node of their own that cannot load ES modules that way, so all that can be is bundled.
  {
    ...common,
    entry: { index: 'plugins/typescript.ts' },
    outDir: 'tsserver',
    format: 'cjs',
    fixedExtension: true,
    cjsDefault: true,
    dts: false,
    deps: { alwaysBundle: [/./], neverBundle: ['oxc-resolver', 'c12', 'typescript'] },
    plugins: [packageFile({ private: true, description: 'pawl in tsserver', main: './index.cjs' }), licenses()],
  },
]);

/** Puts a package.json beside the output. */
function packageFile(contents: object): Plugin {
  return {
    name: 'package-file',
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: 'package.json', source: `${JSON.stringify(contents, null, 2)}\n` });
    },
  };
}

/** Puts the licenses of the packages whose code is in the output beside it, as they ask for. */
function licenses(): Plugin {
  return {
    name: 'licenses',
    generateBundle(_options, bundle) {
      const folders = new Set<string>();
      for (const output of Object.values(bundle)) {
        if (output.type !== 'chunk') continue;
        for (const id of Object.keys(output.modules)) {
          const [folder] = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id.replaceAll('\\', '/')) ?? [];
          if (folder !== undefined && !id.endsWith('.d.ts')) folders.add(folder);
        }
      }
      if (folders.size === 0) return;
      const texts = [...folders].sort().map((folder) => {
        const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
        if (file === undefined) throw new Error(`${folder} has no license that could be put beside the bundle.`);
        const name = folder.split('/node_modules/').at(-1);
        return `${name}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
      });
      this.emitFile({
        type: 'asset',
        fileName: 'THIRD-PARTY-LICENSES.txt',
        source: texts.join(`\n${'-'.repeat(80)}\n\n`),
      });
    },
  };
}
