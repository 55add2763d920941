import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { globSync } from 'tinyglobby';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { realm } from './realm.plugin.ts';
import tsconfig from './tsconfig.json' with { type: 'json' };

/** `pawl` and `pawl/*` are the sources in tests: the same table that TypeScript reads. */
const alias = Object.entries(tsconfig.compilerOptions.paths).map(([name, [file = '']]) => ({
  find: new RegExp(`^${name.replace('*', '(.*)')}$`),
  replacement: fileURLToPath(new URL(file.replace('*', '$1'), import.meta.url)),
}));

/**
 * Tests of what a process has once: locks of files, secrets that it masks, globals that a library replaces, modules that are loaded for
 * the first time, time itself; and those that run out of stack, in whatever code of Node. Each such file has a process of its own; the
 * others share processes, in which they find loaded what they all use.
 */
const APART =
  /test\/(?:sim|store|testing|agents\/(?:credentials|secrecy)|runtime\/(?:handler|webhooks|escape|stacks|overrides))/;

/** What takes longest begins first, so that no process is left with it alone at the end. */
const LONG =
  /test\/(?:sim|demo|plugins|runtime\/(?:fleet|random)|editor\/(?:language|prefixes)|store\/(?:postgres|sqlite-kill)|cli\/(?:accidents|surroundings|run)|checker\/(?:types-corpus|prefixes|broken))/;

/** Those that share follow one another: a process that has to be apart ends one that is shared. */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const rank = ({ moduleId }: TestSpecification): number =>
      (APART.test(moduleId) ? 0 : 2) + (LONG.test(moduleId) ? 0 : 1);
    return sorted.sort((a, b) => rank(a) - rank(b));
  }
}

const every = globSync('test/**/*.test.ts', { cwd: fileURLToPath(new URL('.', import.meta.url)) });

const project = (name: string, isolate: boolean): TestProjectInlineConfiguration => ({
  plugins: [realm()],
  resolve: { alias },
  test: {
    name,
    isolate,
    include: every.filter((file) => APART.test(file) === isolate),
    setupFiles: ['test/support/console.ts'],
    // The first test of a file loads what it tests, and processes beside it may have all of the machine.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    restoreMocks: true,
  },
});

export default defineConfig({
  test: {
    projects: [project('apart', true), project('shared', false)],
    globalSetup: ['test/support/global.ts'],
    // One more than there are cores: many tests wait for processes that they have started, or for time to pass.
    maxWorkers: availableParallelism() + 1,
    sequence: { sequencer: LongFirst },
  },
});
