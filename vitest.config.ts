import { availableParallelism } from 'node:os';
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
    // One more than there are cores: many tests wait for processes that they have started, or for time to pass.
    maxWorkers: availableParallelism() + 1,
    // The first test of a file loads what it tests, and processes beside it may have all of the machine.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    restoreMocks: true,
  },
});
