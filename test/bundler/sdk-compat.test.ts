/** Programs that were written for other SDKs build and run as they are, when the configuration says so. */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';
import { createTestRuntime } from 'pawl/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { build, compileAppModule } from '../../src/bundler/index.ts';
import { COMPAT_SDKS, compatEntry, sdkOf, unservedName } from '../../src/sdk-names.ts';
import { runCli, spawnCli } from '../support/cli.ts';
import { ROOT } from '../support/dist.ts';
import { temporaryProject } from '../support/project.ts';
import { runServer } from '../support/server.ts';
import { findings } from './project.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** The app as its people have it: a folder of its own, pawl installed, the SDK not. */
function onboardingApp(): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'pawl-compat-')));
  folders.push(root);
  cpSync(join(ROOT, 'fixtures/apps/onboarding'), root, { recursive: true });
  rmSync(join(root, '.pawl'), { recursive: true, force: true });
  mkdirSync(join(root, 'node_modules'));
  symlinkSync(ROOT, join(root, 'node_modules/pawl'));
  symlinkSync(join(ROOT, 'node_modules/esbuild'), join(root, 'node_modules/esbuild'));
  return root;
}

const SERVER = `import { createWorker, openStore } from 'pawl/runtime';
import { confirm, outcome, signUp } from './src/app/routes';

const store = await openStore('sqlite:.pawl/pawl.db');
const worker = await createWorker({ manifest: '.pawl', store });
const asked = new Promise<void>((resolve) => {
  let busy = false;
  const stop = store.subscribe(async () => {
    if (busy) return;
    busy = true;
    if (await confirm('ada@example.com', 'friend')) { stop(); resolve(); } else busy = false;
  });
});
const run = await signUp('ada@example.com');
await asked;
process.stdout.write(JSON.stringify(await outcome(run)));
await worker.close();
await store.close();
`;

describe('a program for the Workflow SDK', () => {
  test('is checked and built, unchanged', async () => {
    const root = onboardingApp();
    expect(await runCli(['check'], { cwd: root })).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await runCli(['build'], { cwd: root })).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^built 1 workflow and 3 steps /),
    });
  });

  test('is bundled by the plugin, started by its own code, and runs to its end', { timeout: 60_000 }, async () => {
    const root = onboardingApp();
    expect(JSON.parse(await runServer(root, SERVER))).toEqual({
      email: 'ada@example.com',
      balance: '7.50',
      run: expect.any(String),
    });
    expect(readFileSync(join(root, 'outbox.txt'), 'utf8')).toBe(
      'ada@example.com: Please confirm (once)\nada@example.com: Welcome (once)\n',
    );
  });

  test('without `compat` the build says what to set', async () => {
    const root = onboardingApp();
    writeFileSync(join(root, 'pawl.config.ts'), 'export default {};\n');
    const { code, stdout } = await runCli(['build'], { cwd: root });
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^src\/steps\/account\.ts\(2,\d+\): error PAWL9006: `workflow` does not resolve: .*Set `compat: \['workflow'\]` in pawl\.config\.ts/m,
    );
  });

  test('runs in tests', async () => {
    const file = (name: string): string => readFileSync(join(ROOT, 'fixtures/apps/onboarding/src', name), 'utf8');
    const sources = Object.fromEntries(
      ['lib/money.ts', 'steps/account.ts', 'workflows/onboarding.ts'].map((name) => [`src/${name}`, file(name)]),
    );
    const outbox = join(temporaryProject({}), 'outbox.txt');
    process.env.OUTBOX = outbox;
    const runtime = await createTestRuntime({ sources, config: { compat: ['workflow'] } });
    try {
      const run = await runtime.start('onboarding', ['bob@example.com']);
      const hook = await runtime.waitForHook(run);
      await hook.resume({ code: 'stranger' });
      await runtime.waitForSleep(run);
      await runtime.advance('1h');
      expect(await run.returnValue).toMatchObject({ email: 'bob@example.com', balance: '5.00' });
    } finally {
      await runtime.close();
      delete process.env.OUTBOX;
    }
  });
});

test('a program for Keystroke', async () => {
  const sources = {
    'src/actions/greet.ts': `import { defineAction } from '@keystrokehq/keystroke/action';
import { z } from 'zod';
export const greet = defineAction({
  slug: 'greet',
  description: 'Greets.',
  input: z.object({ name: z.string() }),
  output: z.string(),
  run: async ({ name }) => 'Hello ' + name,
});
`,
    'src/workflows/welcome.ts': `import { defineWorkflow } from '@keystrokehq/keystroke/workflow';
import { z } from 'zod';
import { greet } from '../actions/greet';
export const welcome = defineWorkflow({
  slug: 'welcome',
  input: z.object({ names: z.array(z.string()) }),
  output: z.array(z.string()),
  run: async ({ names }) => await Promise.all(names.map((name) => greet.run({ name }))),
});
`,
  };
  const runtime = await createTestRuntime({ sources, config: { compat: ['keystroke'] } });
  const run = await runtime.start('welcome', [{ names: ['Ada', 'Bob'] }]);
  expect(await run.returnValue).toEqual(['Hello Ada', 'Hello Bob']);
  await runtime.close();

  const { diagnostics } = await build({
    root: temporaryProject(sources),
    write: false,
    packages: [join(ROOT, 'node_modules')],
  });
  expect(findings({ diagnostics }).join('\n')).toMatch(
    /`@keystrokehq\/keystroke\/action` does not resolve: .*Set `compat: \['keystroke'\]`/,
  );
});

test('a package that was written for the SDK is built along', async () => {
  const root = temporaryProject({
    'src/main.ts': `import { greet } from 'greeter';\nexport async function main(name: string) {\n  'use workflow';\n  return await greet(name);\n}\n`,
    'node_modules/greeter/package.json':
      '{ "name": "greeter", "version": "1.0.0", "type": "module", "main": "index.js" }',
    'node_modules/greeter/index.js': `import { FatalError } from 'workflow';\nexport async function greet(name) {\n  'use step';\n  if (!name) throw new FatalError('nobody');\n  return 'Hello ' + name;\n}\n`,
    'pawl.config.json': '{ "compat": ["workflow"] }',
  });
  expect(await runCli(['build'], { cwd: root })).toMatchObject({ code: 0 });
  expect(await spawnCli(['run', 'main', '--input', '"Ada"'], { cwd: root })).toMatchObject({ stdout: '"Hello Ada"\n' });
  const failed = await spawnCli(['run', 'main', '--input', '""'], { cwd: root });
  expect(failed.stderr).toMatch(/FatalError: nobody/);
});

test('a name that the SDK exports and pawl does not is told at its import', async () => {
  const root = temporaryProject({
    'src/main.ts': `import { sleep, someday } from 'workflow';\nexport async function main() {\n  'use workflow';\n  await sleep(1);\n  return someday();\n}\n`,
  });
  const result = await build({ root, write: false, config: { compat: ['workflow'] } });
  expect(findings(result)).toEqual([
    expect.stringMatching(/^src\/main\.ts\(1,17\): error PAWL9007: `someday` is not exported by `workflow`\./),
  ]);
});

test('modules of an application keep their places', () => {
  const source = `import { start } from 'workflow/api'; import type { Run } from 'workflow/api';
import { flow } from './flow'; export const go = async (): Promise<Run> => { throw new Error(String(start(flow, []))); };
`;
  const options = { filename: '/app/src/a.ts', root: '/app', compat: ['workflow'] as const };
  const made = compileAppModule(source, options);
  expect(made?.code).toContain(`import { start } from "pawl/client"; import type { Run } from 'workflow/api';`);
  const map = new TraceMap(made?.map as ConstructorParameters<typeof TraceMap>[0]);
  const line = made?.code.split('\n')[1] ?? '';
  expect(originalPositionFor(map, { line: 2, column: line.indexOf('new Error') })).toMatchObject({
    line: 2,
    column: source.split('\n')[1]?.indexOf('new Error'),
  });
  expect(compileAppModule(source, { ...options, compat: [] })).toBe(null);
  expect(compileAppModule(`export const text = 'workflow';`, options)).toBe(null);
});

test('a module of an application that has a workflow is compiled too, and its map leads to what was written', () => {
  const source = `import { sleep } from 'workflow'; export const wait = () => sleep('1s');\nexport async function flow() {\n  'use workflow';\n}\nexport const boom = () => { throw new Error('boom'); };\n`;
  const made = compileAppModule(source, { filename: '/app/src/flow.ts', root: '/app', compat: ['workflow'] });
  const lines = made?.code.split('\n') ?? [];
  expect(lines[0]).toContain(`from "pawl"`);
  const at = lines.findIndex((line) => line.includes("new Error('boom')"));
  const map = new TraceMap(made?.map as ConstructorParameters<typeof TraceMap>[0]);
  expect(originalPositionFor(map, { line: at + 1, column: lines[at]?.indexOf('new Error') ?? 0 })).toMatchObject({
    line: 5,
  });
});

test('a wrong name in the configuration', async () => {
  const root = temporaryProject({ 'src/a.ts': '', 'pawl.config.json': '{ "compat": ["temporal"] }' });
  const { code, stdout } = await runCli(['build'], { cwd: root });
  expect(stdout).toMatch(
    /^pawl\.config\.json\(1,4\): error PAWL9005: `compat\.0` has a wrong value: .*workflow.*keystroke/,
  );
  expect(code).toBe(2);
});

test('names', () => {
  expect(COMPAT_SDKS.map((sdk) => compatEntry('workflow', [sdk]))).toEqual(['pawl', null]);
  expect(
    ['workflow/api', '@workflow/serde', 'workflow/next', 'workflows', 'toString'].map((name) => sdkOf(name)),
  ).toEqual(['workflow', 'workflow', null, null, null]);
  // Entries exist, but for those that a later version brings.
  const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    exports: Record<string, unknown>;
  };
  for (const name of ['workflow', 'workflow/api', '@workflow/serde', '@keystrokehq/keystroke/action']) {
    expect(Object.keys(exports)).toContain(compatEntry(name)?.replace('pawl', '.'));
  }
});

test('what is out of scope is told at its import, by what it is', async () => {
  const root = temporaryProject({
    'src/workflows/digest.ts': `import { defineWorkflow } from '@keystrokehq/keystroke/workflow';
import { defineSandbox } from '@keystrokehq/keystroke/sandbox';
import { z } from 'zod';
export default defineWorkflow({
  slug: 'digest',
  input: z.object({}),
  output: z.object({}),
  async run() {
    return { sandbox: defineSandbox({ mode: 'vm' }) };
  },
});
`,
    'src/triggers/daily.ts': `import { defineCronSource } from '@keystrokehq/keystroke/trigger';
import workflow from '../workflows/digest';
export default defineCronSource({ slug: 'daily', schedule: '0 9 * * *' }).attach({ workflow });
`,
  });
  const { diagnostics } = await build({
    root,
    write: false,
    config: { compat: ['keystroke'] },
    packages: [join(ROOT, 'node_modules')],
  });
  expect(findings({ diagnostics })).toEqual([
    expect.stringMatching(
      /^src\/triggers\/daily\.ts\(1,\d+\): error PAWL9006: `@keystrokehq\/keystroke\/trigger` does not resolve: pawl has nothing in place of Keystroke's triggers\. Start runs from your scheduler/,
    ),
    expect.stringMatching(
      /^src\/workflows\/digest\.ts\(2,\d+\): error PAWL9006: `@keystrokehq\/keystroke\/sandbox` does not resolve: .* Keystroke's sandboxes\. Do what needs files/,
    ),
  ]);
});

test('names that lead nowhere', () => {
  const whats = ['workflow/next', '@workflow/ai/openai', '@workflow/vitest', '@keystrokehq/keystroke/sandbox'].map(
    (name) => unservedName(name)?.what,
  );
  expect(whats).toEqual([
    'integrations of frameworks',
    'providers that make models in steps',
    'its plugin for tests',
    "Keystroke's sandboxes",
  ]);
  expect(['workflow', 'workflows', '@workflow/serde', 'pawl', 'zod'].map(unservedName)).toEqual([
    null,
    null,
    null,
    null,
    null,
  ]);
});
