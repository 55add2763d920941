/** Programs that were written for other SDKs, run as they are. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { globSync } from 'tinyglobby';
import { onTestFinished } from 'vitest';
import type { CompatSdk } from '../../src/sdk-names.ts';
import { createTestRuntime, type TestRuntime, type TestRuntimeOptions } from '../../src/testing/index.ts';
import { forgetAsked, MODEL } from '../agents/support.ts';
import { ROOT } from '../support/dist.ts';

/** Texts of a program among the fixtures. */
export function programTexts(name: string): Record<string, string> {
  const root = join(ROOT, 'fixtures/programs', name);
  return Object.fromEntries(
    globSync('src/**/*', { cwd: root }).map((file) => [file, readFileSync(join(root, file), 'utf8')]),
  );
}

/**
 * A folder with the program, where packages of this repository are found.
 *
 * @param models by id: the answers of a model for tests, as an expression for `scripted`
 */
export function compatProject(
  sources: Record<string, string>,
  sdk: CompatSdk,
  models: Record<string, string> = {},
): string {
  const scripts = Object.entries(models).map(([id, answers]) => `${JSON.stringify(id)}: scripted(${answers})`);
  mkdirSync(join(ROOT, '.cache'), { recursive: true });
  const root = mkdtempSync(join(ROOT, '.cache/compat-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const files: Record<string, string> = {
    ...sources,
    // Not that of this repository, whose paths lead to sources.
    'tsconfig.json': '{ "compilerOptions": { "target": "es2022" } }',
    'models.ts': MODEL,
    'pawl.config.ts': `import { scripted } from './models';
const models: Record<string, unknown> = { ${scripts.join(', ')} };
export default { entries: ['src/**/*.ts'], compat: ['${sdk}'], providers: { test: (id: string) => models[id] } };
`,
  };
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  return root;
}

/** The same in a runtime, with virtual time. */
export async function compatRuntime(
  sources: Record<string, string>,
  sdk: CompatSdk,
  models: Record<string, string>,
  options: Omit<TestRuntimeOptions, 'root' | 'sources' | 'config'> = {},
): Promise<TestRuntime> {
  forgetAsked();
  const runtime = await createTestRuntime({
    ...options,
    root: compatProject(sources, sdk, models),
  } as TestRuntimeOptions);
  onTestFinished(() => runtime.close());
  return runtime;
}
