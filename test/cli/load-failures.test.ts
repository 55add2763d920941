/** Programs that build and do not load: what `pawl run` says is about the user's files. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type CliResult, runCli, spawnCli } from '../support/cli.ts';
import { temporaryProject } from '../support/project.ts';

const MAIN = `export async function work() { 'use step'; return 1; }
export async function main() { 'use workflow'; return await work(); }
`;

const OTHER = `export async function other() { 'use step'; }\n`;

/** Builds a project and runs its workflow. */
async function run(files: Record<string, string>, meanwhile: (root: string) => void = () => {}): Promise<CliResult> {
  const root = temporaryProject(files);
  expect(await runCli(['build'], { cwd: root })).toMatchObject({ code: 0, stdout: '' });
  meanwhile(root);
  const result = await spawnCli(['run', 'main'], { cwd: root });
  expect(result.stderr).not.toMatch(/\n {4}at /);
  return result;
}

test.each<[name: string, files: Record<string, string>, expected: RegExp]>([
  [
    'CommonJS that strict mode forbids',
    {
      'src/main.ts': `import { read } from './lib.cjs';\nexport async function work() { 'use step'; return read({ a: 1 }); }\nexport async function main() { 'use workflow'; return await work(); }\n`,
      'src/lib.cjs': `exports.read = function (it) { with (it) { return a; } };\n`,
    },
    /^error PAWL_STEPS_FAILED: .*with statement\n {2}at .*steps\.js\n {2}A file that the steps import holds what no ES module may, .*createRequire/,
  ],
  [
    'code that throws while its module is loaded',
    {
      'src/main.ts': `import { key } from './key.ts';\n${MAIN}export const used = key;\n`,
      'src/key.ts': `function read(): string {
  const { PAWL_NO_SUCH } = process.env;
  if (!PAWL_NO_SUCH) throw new Error('PAWL_NO_SUCH is not set');
  return PAWL_NO_SUCH;
}
export const key = read();
`,
    },
    /^error PAWL_STEPS_FAILED: The steps cannot be loaded: Error: PAWL_NO_SUCH is not set\n {2}at src\/key\.ts:3:28\n {2}The top-level code of src\/key\.ts threw/,
  ],
  [
    'an import cycle in which a value is used before it is there',
    {
      'src/main.ts': `import { b } from './b.ts';\nexport const a = b + 1;\n${MAIN}`,
      'src/b.ts': `import { c } from './c.ts';\nexport const b = c + 1;\n`,
      'src/c.ts': `import { a } from './main.ts';\nexport const c = a + 1;\n`,
    },
    /^error PAWL_STEPS_FAILED: .*Cannot access 'a' before initialization\n {2}at src\/c\.ts:2:18\n {2}These files import each other in a circle: src\/b\.ts -> src\/c\.ts -> src\/main\.ts -> src\/b\.ts\. .*Move what they share/,
  ],
  [
    'an import cycle of CommonJS, in which a function is undefined',
    {
      'src/main.ts': `import { twice } from './a.cjs';\n${MAIN}export const four = twice(2);\n`,
      'src/a.cjs': `const { add } = require('./b.cjs');\nexports.twice = (n) => add(n, n);\n`,
      'src/b.cjs': `const { twice } = require('./a.cjs');\nexports.add = (a, b) => a + b;\nexports.eight = twice(4);\n`,
    },
    /^error PAWL_STEPS_FAILED: .*twice is not a function\n {2}at src\/b\.cjs:3:\d+\n {2}These files import each other in a circle: src\/a\.cjs -> src\/b\.cjs -> src\/a\.cjs\./,
  ],
  [
    'a top-level await that never ends',
    {
      'src/main.ts': MAIN,
      'src/other.ts': `const later = new Promise(() => {});\nexport const never = await later;\n${OTHER}`,
    },
    /^error PAWL_STEPS_STALLED: The steps cannot be loaded: a top-level `await` waits for something that will never come\.\n {2}at src\/other\.ts:2:22\n {2}Move what is waited for into a step/,
  ],
  [
    'one of several',
    {
      'src/main.ts': MAIN,
      'src/other.ts': `import { f } from './more.ts';\nif (Date.now() > 0) {\n  await new Promise(f);\n}\n${OTHER}`,
      'src/more.ts': `await Promise.resolve();\nexport const f = async () => {\n  await 1;\n};\n`,
    },
    /^error PAWL_STEPS_STALLED: The steps cannot be loaded: one of these top-level `await`s .* \(src\/more\.ts:1:1, src\/other\.ts:3:3\)\.\n {2}at .*steps\.js\n/,
  ],
])('%s', async (_name, files, expected) => {
  const { code, stdout, stderr } = await run(files);
  expect(stderr).toMatch(expected);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

const PKG = { 'node_modules/pkg/package.json': '{ "name": "pkg", "type": "module", "main": "main.js" }' };
const USER = { ...PKG, 'src/main.ts': `import { one } from 'pkg';\n${MAIN.replace('return 1', 'return one')}` };

test.each<[name: string, meanwhile: (folder: string) => void, expected: RegExp]>([
  [
    'a package that is gone',
    (folder) => rmSync(folder, { recursive: true }),
    /^error PAWL_STEPS_FAILED: .*Cannot find package 'pkg'.*\n {2}at .*steps\.js\n {2}Install the package where the bundle stands/,
  ],
  [
    'a package that has changed',
    (folder) => writeFileSync(join(folder, 'main.js'), 'export const other = 1;'),
    /^error PAWL_STEPS_FAILED: .*'pkg' does not provide an export named 'one'\n {2}at .*steps\.js\n {2}A package is not the one that the build saw/,
  ],
  [
    'a package that throws',
    (folder) => writeFileSync(join(folder, 'main.js'), 'export const one = 1;\nthrow new Error("no licence");'),
    /^error PAWL_STEPS_FAILED: .*Error: no licence\n {2}at .*node_modules\/pkg\/main\.js:2:7\n {2}The top-level code of .*pkg\/main\.js threw/,
  ],
  [
    'a package that waits for ever',
    (folder) => writeFileSync(join(folder, 'main.js'), 'export const one = await new Promise(() => {});'),
    /^error PAWL_STEPS_STALLED: .*\n {2}at .*steps\.js\n {2}It is in a package that a step imports\./,
  ],
])('%s', async (_name, meanwhile, expected) => {
  const { code, stderr } = await run({ ...USER, 'node_modules/pkg/main.js': 'export const one = 1;' }, (root) =>
    meanwhile(join(root, 'node_modules/pkg')),
  );
  expect(stderr).toMatch(expected);
  expect(code).toBe(2);
});

test.each([
  ['in the configuration itself', `const dir = await new Promise(() => {});\nexport default { outDir: dir };\n`],
  ['in a module that it imports', `import './never.ts';\nexport default {};\n`],
])('a configuration that waits for ever, %s', async (name, config) => {
  const root = temporaryProject({
    'pawl.config.ts': config,
    'never.ts': 'await new Promise(() => {});',
    'src/a.ts': MAIN,
  });
  const where = name.includes('itself')
    ? /pawl\.config\.ts\(1,13\)/
    : /pawl\.config\.ts\(1,1\).*of a module that it imports/;
  for (const command of ['build', 'check']) {
    const { code, stdout } = await spawnCli([command], { cwd: root });
    expect(stdout).toMatch(/error PAWL9005: The configuration could not be loaded: a top-level `await` /);
    expect(stdout).toMatch(where);
    expect(code).toBe(2);
  }
  expect(await spawnCli(['runs'], { cwd: root })).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^error PAWL9005: [^\n]*\n {2}at pawl\.config\.ts:1:/),
  });
});

test('a `throw` that every load meets is told by the build, at its place', async () => {
  const cases: [files: Record<string, string>, place: string][] = [
    [{ 'src/main.ts': `throw new Error('off');\n${MAIN}` }, 'src/main.ts(1,1)'],
    [{ 'src/main.ts': `${MAIN}if (true) throw new Error('off');\n` }, 'src/main.ts(3,11)'],
    [
      {
        'src/main.ts': `import './flags.ts';\n${MAIN}`,
        'src/flags.ts': `const OFF = true;\nif (OFF) {\n  console.log('off');\n  throw new Error('off');\n}\n`,
      },
      'src/flags.ts(4,3)',
    ],
  ];
  for (const [files, place] of cases) {
    const { code, stdout } = await runCli(['build'], { cwd: temporaryProject(files) });
    expect(stdout).toMatch(/error PAWL9007: This `throw` is met whenever the module is loaded/);
    expect(stdout.split('\n').filter(Boolean)).toHaveLength(1);
    expect(stdout.startsWith(`${place}: `)).toBe(true);
    expect(code).toBe(1);
  }
  const fine = `${MAIN}if (process.env.OFF) throw new Error('off');\nfunction no() { throw new Error('no'); }\nexport const maybe = no;\n`;
  expect(await runCli(['build'], { cwd: temporaryProject({ 'src/main.ts': fine }) })).toMatchObject({ code: 0 });
});
