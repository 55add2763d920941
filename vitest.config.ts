import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { realm } from './realm.plugin.ts';
import tsconfig from './tsconfig.json' with { type: 'json' };

/** `pawl` and `pawl/*` are the sources in tests: the same table that TypeScript reads. */
const alias = Object.entries(tsconfig.compilerOptions.paths).map(([name, [file = '']]) => ({
  find: new RegExp(`^${name.replace('*', '(.*)')}$`),
  replacement: fileURLToPath(new URL(file.replace('*', '$1'), import.meta.url)),
}));

export default defineConfig({
  plugins: [realm()],
  resolve: { alias },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/dist.ts'],
    setupFiles: ['test/support/console.ts'],
    // One process a core: vitest leaves one core to itself otherwise, half of a small machine.
    maxWorkers: '100%',
    testTimeout: 20_000,
    hookTimeout: 60_000,
    restoreMocks: true,
  },
});
