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
    globalSetup: ['test/support/dist.ts', 'test/support/postgres.ts'],
    setupFiles: ['test/support/console.ts'],
    // One process a core: vitest leaves one core to itself otherwise, half of a small machine.
    maxWorkers: '100%',
    // The first test of a file loads what it tests, and processes beside it may have all of the machine.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    restoreMocks: true,
  },
});
