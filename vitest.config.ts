import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { realm } from './realm.plugin.ts';
import tsconfig from './tsconfig.json' with { type: 'json' };

/** `pawl` and `pawl/*` are the sources in tests: the same table that TypeScript reads. */
const alias = Object.entries(tsconfig.compilerOptions.paths).map(([name, [file = '']]) => ({
  find: new RegExp(`^${name.replace('*', '(.*)')}$`),
  replacement: fileURLToPath(new URL(file.replace('*', '$1'), import.meta.url)),
}));

/** What takes longest begins first, so that no process is left with it alone at the end. */
const LONG =
  /test\/(?:sim|demo|plugins|runtime\/(?:fleet|random)|editor\/(?:language|prefixes)|store\/(?:postgres|sqlite-kill)|cli\/(?:accidents|surroundings|run)|checker\/(?:types-corpus|prefixes|broken))/;

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.sort((a, b) => Number(LONG.test(b.moduleId)) - Number(LONG.test(a.moduleId)));
  }
}

export default defineConfig({
  plugins: [realm()],
  resolve: { alias },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/dist.ts', 'test/support/postgres.ts'],
    setupFiles: ['test/support/console.ts'],
    // One more than there are cores: many tests wait for processes that they have started, or for time to pass.
    maxWorkers: availableParallelism() + 1,
    sequence: { sequencer: LongFirst },
    // The first test of a file loads what it tests, and processes beside it may have all of the machine.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    restoreMocks: true,
  },
});
