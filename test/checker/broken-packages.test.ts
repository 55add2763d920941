/** Installed packages that are damaged: told at the import, with the package.json and the field to look at; the rest is checked. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli, spawnCli } from '../support/cli.ts';
import { temporaryProject } from '../support/project.ts';

interface Case {
  /** Text of the package.json. */
  manifest: string;
  /** Other files of the package. */
  files?: readonly string[];
  /** What is imported; `broken` unless told. */
  specifier?: string;
  reason: string;
  remedy?: string;
}

const INSTALL = 'Install it again (`npm install broken`); if that does not help, tell its authors.';
const MANIFEST = 'node_modules/broken/package.json';
const ENTRIES = 'Correct the path behind its name; `exports` of its package.json lists the entries.';

const CASES: Record<string, Case> = {
  'a package.json that does not parse': {
    manifest: '{\n  "name": "broken",\n  "main": "x.js",,\n}\n',
    reason: `${MANIFEST} is not JSON: unexpected \`,\` in line 3, column 18`,
  },
  'a package.json that was cut off': {
    manifest: '{ "name": "broken", "main',
    reason: `${MANIFEST} is not JSON: it ends too early in line 1, column 26`,
  },
  'a package.json that is empty': { manifest: ' \n', reason: `${MANIFEST} is empty` },
  'a package.json that is no object': {
    manifest: '[]',
    reason: `${MANIFEST} does not hold an object, but an array`,
  },
  'an entry of a package whose package.json does not parse': {
    manifest: '{ "name": }',
    files: ['deep.js'],
    specifier: 'broken/deep.js',
    reason: `${MANIFEST} is not JSON: unexpected \`}\` in line 1, column 11`,
  },
  'exports of a file that is not there': {
    manifest: '{ "exports": { ".": { "types": "./i.d.ts", "import": "./dist/index.js" } } }',
    reason: `\`exports["."].import\` of ${MANIFEST} names \`./dist/index.js\`, and there is no such file`,
  },
  'exports as one path, of a file that is not there': {
    manifest: '{ "exports": "./dist/index.js" }',
    reason: `\`exports\` of ${MANIFEST} names \`./dist/index.js\`, and there is no such file`,
  },
  'exports as a number': {
    manifest: '{ "exports": 5 }',
    reason: `\`exports\` of ${MANIFEST} is a number, and names no file`,
  },
  'an entry as a number': {
    manifest: '{ "exports": { ".": { "node": { "default": 5 } } } }',
    reason: `\`exports["."].node.default\` of ${MANIFEST} is a number, and names no file`,
  },
  'exports as an array of nothing': {
    manifest: '{ "exports": [] }',
    reason: `\`exports\` of ${MANIFEST} is an empty array, and names no file`,
  },
  'exports that leave the package': {
    manifest: '{ "exports": { ".": "../elsewhere.js" } }',
    reason: `\`exports["."]\` of ${MANIFEST} names \`../elsewhere.js\`, which is outside of the package`,
  },
  'exports that leave the package in the middle': {
    manifest: '{ "exports": { ".": "./a/../../elsewhere.js" } }',
    reason: `\`exports["."]\` of ${MANIFEST} names \`./a/../../elsewhere.js\`, which leads out of the package`,
  },
  'exports that do not begin with ./': {
    manifest: '{ "exports": { ".": ["index.js"] } }',
    files: ['index.js'],
    reason: `\`exports["."][0]\` of ${MANIFEST} names \`index.js\`, which does not begin with \`./\``,
  },
  'exports that mix entries and conditions': {
    manifest: '{ "exports": { ".": "./a.js", "import": "./a.js" } }',
    files: ['a.js'],
    reason: `\`exports\` of ${MANIFEST} mixes entries such as \`.\` with conditions such as \`import\``,
  },
  'a pattern of exports without the file': {
    manifest: '{ "exports": { "./*": "./lib/*.js" } }',
    specifier: 'broken/deep',
    reason: `\`exports["./*"]\` of ${MANIFEST} makes that \`./lib/deep.js\`, and there is no such file`,
    remedy: 'Correct the path behind its name, or install the package again.',
  },
  'exports of types alone': {
    manifest: '{ "exports": { ".": { "types": "./i.d.ts" } } }',
    files: ['i.d.ts'],
    reason: `\`exports["."]\` of ${MANIFEST} has files for \`types\` alone, and none for Node`,
    remedy: 'Import its types with `import type`.',
  },
  'exports that hold nothing for Node in one condition, and a lost file in the next': {
    manifest: '{ "exports": { "import": { "browser": "./b.js" }, "default": "./d.js" } }',
    files: ['b.js'],
    reason: `\`exports.default\` of ${MANIFEST} names \`./d.js\`, and there is no such file`,
  },
  'an entry that exports do not list': {
    manifest: '{ "exports": { ".": "./index.js", "./internal": null } }',
    files: ['index.js', 'other.js'],
    specifier: 'broken/other.js',
    reason: `the package \`broken\` is there, and has no such entry: \`exports\` of ${MANIFEST} lists \`.\`, not \`./other.js\``,
    remedy: ENTRIES,
  },
  'an entry that exports close': {
    manifest: '{ "exports": { ".": "./index.js", "./internal/*": null } }',
    files: ['index.js'],
    specifier: 'broken/internal/a',
    reason: `the package \`broken\` is there, and has no such entry: \`exports["./internal/*"]\` of ${MANIFEST} is null, which closes it`,
    remedy: ENTRIES,
  },
  'a main that is not there': {
    manifest: '{ "main": "./lib/index.js" }',
    reason: `\`main\` of ${MANIFEST} names \`./lib/index.js\`, and there is no such file`,
  },
  'a main that is no text': {
    manifest: '{ "main": 5 }',
    reason: `\`main\` of ${MANIFEST} is a number, and not the path of a file`,
  },
  'no main and no index': {
    manifest: '{}',
    reason: `${MANIFEST} has neither \`exports\` nor \`main\`, and there is no index.js beside it`,
  },
  'a file that a package without exports does not have': {
    manifest: '{ "main": "./index.js" }',
    files: ['index.js'],
    specifier: 'broken/deep',
    reason:
      'the package `broken` is there, and has no such entry: there is no file `./deep` in it, and its package.json has no `exports`',
    remedy: 'Correct the path behind its name.',
  },
};

const OTHER = `export async function other() {\n  'use workflow';\n  await fetch('https://a.example');\n}\n`;

function projectOf({ manifest, files = [], specifier = 'broken' }: Omit<Case, 'reason'>): Record<string, string> {
  const project: Record<string, string> = {
    'src/a.ts': `export async function charge() { 'use step'; }\nimport '${specifier}';\n`,
    'src/b.ts': OTHER,
    'node_modules/broken/package.json': manifest,
  };
  for (const file of files) project[`node_modules/broken/${file}`] = 'export {};\n';
  return project;
}

const findingsOf = (stdout: string): string[] => stdout.split('\n').filter(Boolean);

test.each(Object.entries(CASES))('%s', async (_name, { specifier = 'broken', reason, remedy = INSTALL, ...files }) => {
  const root = temporaryProject(projectOf({ specifier, ...files }));
  const { code, stdout, stderr } = await runCli(['check', '--no-types'], { cwd: root });
  expect(findingsOf(stdout)).toEqual([
    `src/a.ts(2,8): error PAWL9006: \`${specifier}\` does not resolve: ${reason}. ${remedy}`,
    expect.stringMatching(/^src\/b\.ts\(3,9\): error PAWL3002: /),
  ]);
  expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
});

test('a folder that is no package, and a package.json that is a directory', async () => {
  const root = temporaryProject(projectOf({ manifest: '{}' }));
  mkdirSync(join(root, 'node_modules/folder/package.json'), { recursive: true });
  mkdirSync(join(root, 'node_modules/bare'));
  writeFileSync(
    join(root, 'src/a.ts'),
    `import 'folder';\nimport 'bare';\nexport async function charge() { 'use step'; }\n`,
  );
  const { stdout } = await runCli(['check', '--no-types'], { cwd: root });
  expect(findingsOf(stdout)).toEqual([
    expect.stringContaining(': node_modules/folder/package.json cannot be read: it is a directory. Install it again'),
    expect.stringContaining(': node_modules/bare has no package.json and no index.js. Install it again'),
    expect.stringContaining('src/b.ts(3,9)'),
  ]);
});

test('a package of the workspace is to be built, and not installed', async () => {
  const root = temporaryProject({ ...projectOf({ manifest: '{}', specifier: 'lib' }), 'lib/src/index.ts': '' });
  writeFileSync(join(root, 'lib/package.json'), '{ "exports": "./dist/index.js" }');
  symlinkSync('../lib', join(root, 'node_modules/lib'));
  const { stdout } = await runCli(['check', '--no-types'], { cwd: root });
  expect(findingsOf(stdout)[0]).toBe(
    'src/a.ts(2,8): error PAWL9006: `lib` does not resolve: `exports` of node_modules/lib/package.json names `./dist/index.js`, and there is no such file. Build the package, which is a link to a folder of yours, or repair its package.json.',
  );
});

test('it is repaired, and the next check sees it; a build says the same as a check', async () => {
  const root = temporaryProject(projectOf({ manifest: '{ "exports": "./dist/index.js" }' }));
  const broken = await runCli(['check', '--no-types'], { cwd: root });
  expect(findingsOf(broken.stdout)).toHaveLength(2);
  expect((await runCli(['build'], { cwd: root })).stdout).toBe(broken.stdout);
  mkdirSync(join(root, 'node_modules/broken/dist'));
  writeFileSync(join(root, 'node_modules/broken/dist/index.js'), 'export {};\n');
  const repaired = await runCli(['check', '--no-types'], { cwd: root });
  expect(findingsOf(repaired.stdout)).toEqual([expect.stringContaining('src/b.ts(3,9)')]);
});

test("the project's own package.json does not parse: told once in it, and no import is blamed", async () => {
  const root = temporaryProject({
    ...projectOf({ manifest: '{ "main": "./index.js" }', files: ['index.js'] }),
    'package.json': '{\n  "imports": { "#b": "./src/b.ts", }\n}\n',
    'src/c.ts': `import './b.ts';\nimport './b';\nimport '#b';\nimport './gone.ts';\nexport async function c() { 'use step'; }\n`,
  });
  for (const argv of [['check', '--no-types'], ['check'], ['build']]) {
    const { code, stdout } = await spawnCli(argv, { cwd: root });
    expect(code).toBe(1);
    expect(findingsOf(stdout)).toEqual([
      'package.json(2,36): error PAWL9005: This file does not parse: trailing comma. Imports were resolved without it. Repair it; `npm pkg get name` tells whether npm can read it.',
      expect.stringContaining('src/b.ts(3,9)'),
      expect.stringMatching(
        /^src\/c\.ts\(4,8\): error PAWL9006: `\.\/gone\.ts` does not resolve: there is no such file/,
      ),
    ]);
  }
});

test('`imports` of the package name a file that is not there', async () => {
  const root = temporaryProject({
    ...projectOf({ manifest: '{}', specifier: '#deep/x' }),
    'package.json': '{ "imports": { "#deep/*": { "default": "./src/deep/*.ts" } } }',
  });
  const { stdout } = await runCli(['check', '--no-types'], { cwd: root });
  expect(findingsOf(stdout)[0]).toBe(
    'src/a.ts(2,8): error PAWL9006: `#deep/x` does not resolve: `imports["#deep/*"].default` of package.json makes that `./src/deep/x.ts`, and there is no such file. Correct it there, or create the file.',
  );
});
