import { existsSync } from 'node:fs';
import { defineConfig } from 'tsdown';
import { realm } from './realm.plugin.ts';

const entries = {
  index: 'src/index.ts',
  client: 'src/runtime/client.ts',
  runtime: 'src/runtime/index.ts',
  testing: 'src/testing/index.ts',
  compiler: 'src/compiler/index.ts',
  checker: 'src/checker/index.ts',
  manifest: 'src/manifest/index.ts',
  build: 'src/bundler/index.ts',
  config: 'src/config/index.ts',
  editor: 'src/editor/index.ts',
  'language-server': 'plugins/language-server.ts',
  'internal/step': 'src/internal/step.ts',
  'internal/client': 'src/internal/client.ts',
  vite: 'plugins/vite.ts',
  webpack: 'plugins/webpack.ts',
  esbuild: 'plugins/esbuild.ts',
  cli: 'src/cli/bin.ts',
};

export default defineConfig({
  entry: Object.fromEntries(Object.entries(entries).filter(([, file]) => existsSync(file))),
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  fixedExtension: false,
  sourcemap: true,
  dts: { sourcemap: false },
  report: false,
  checks: { pluginTimings: false },
  logLevel: 'warn',
  plugins: [realm()],
});
