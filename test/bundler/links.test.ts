import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compileAppModule, createBuildSession } from '../../src/bundler/index.ts';
import { createSession } from '../../src/checker/index.ts';
import { createTestRuntime } from '../../src/testing/index.ts';
import { buildClean, project } from './project.ts';

/** A link stands for what it leads to: that is one module, with one id, by whatever path it was found or imported. */

const STEP = `export async function st(n: number) { 'use step'; return typeof process === 'object' ? n + 1 : 0; }`;

const workflow = (from: string): string =>
  `import { st } from '${from}';\nexport async function main() { 'use workflow'; return st(1); }`;

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** `[path, target]` by the folder of the project, which is `app` of a folder of its own. */
function linked(files: Record<string, string>, links: readonly (readonly [string, string])[]): string {
  const root = join(
    project(Object.fromEntries(Object.entries(files).map(([file, text]) => [join('app', file), text]))),
    'app',
  );
  for (const [path, target] of links) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    symlinkSync(target, join(root, path));
  }
  return root;
}

interface Case {
  name: string;
  files: Record<string, string>;
  links: readonly (readonly [string, string])[];
  /** The id of the step. */
  step: string;
  workflow?: string;
  entries: number;
}

const CASES: Case[] = [
  {
    name: 'a file beside',
    files: { 'src/a.ts': STEP, 'src/main.ts': workflow('./link.ts') },
    links: [['src/link.ts', 'a.ts']],
    step: 'src/a.ts#st',
    entries: 2,
  },
  {
    name: 'a folder beside the entries',
    files: { 'shared/a.ts': STEP, 'src/main.ts': workflow('./shared/a.ts') },
    links: [['src/shared', '../shared']],
    step: 'shared/a.ts#st',
    entries: 2,
  },
  {
    name: 'a file beside the entries',
    files: { 'shared/a.ts': STEP, 'src/main.ts': workflow('./a.ts') },
    links: [['src/a.ts', '../shared/a.ts']],
    step: 'shared/a.ts#st',
    entries: 2,
  },
  {
    name: 'a folder outside of the root',
    files: { '../shared/a.ts': STEP, 'src/main.ts': workflow('./shared/a.ts') },
    links: [['src/shared', '../../shared']],
    step: '../shared/a.ts#st',
    entries: 2,
  },
  {
    name: 'a file outside of the root, in a package',
    files: {
      '../shared/package.json': '{ "name": "@acme/shared", "version": "1.2.3" }',
      '../shared/src/a.ts': STEP,
      'src/main.ts': workflow('./a.ts'),
    },
    links: [['src/a.ts', '../../shared/src/a.ts']],
    step: '@acme/shared@1.2.3/src/a.ts#st',
    entries: 2,
  },
  {
    name: 'the folder of all entries',
    files: { 'code/a.ts': STEP, 'code/main.ts': workflow('./a.ts') },
    links: [['src', 'code']],
    step: 'code/a.ts#st',
    workflow: 'code/main.ts#main',
    entries: 2,
  },
  {
    name: 'a loop, links to links, and links to nothing',
    files: { 'src/a.ts': STEP, 'src/main.ts': workflow('./again/again/one.ts') },
    links: [
      ['src/again', '../src'],
      ['src/one.ts', 'two.ts'],
      ['src/two.ts', 'a.ts'],
      ['src/nothing.ts', 'gone.ts'],
      ['src/self.ts', 'self.ts'],
    ],
    step: 'src/a.ts#st',
    entries: 2,
  },
  {
    name: 'an installed package',
    files: {
      'node_modules/kit/package.json': '{ "name": "kit", "version": "2.0.0", "type": "module" }',
      'node_modules/kit/a.ts': STEP,
      'src/main.ts': workflow('./kit/a.ts'),
    },
    links: [['src/kit', '../node_modules/kit']],
    step: 'kit@2.0.0/a.ts#st',
    entries: 2,
  },
];

describe.each(CASES)('$name', ({ files, links, step, workflow = 'src/main.ts#main', entries }) => {
  test('is built, checked and run', async () => {
    const root = linked(files, links);
    const session = createBuildSession({ root });
    const { diagnostics, output, stats } = await session.build();
    session.close();
    expect(diagnostics).toEqual([]);
    expect(Object.keys(output?.manifest.steps ?? {})).toEqual([step]);
    expect(Object.keys(output?.manifest.workflows ?? {})).toEqual([workflow]);
    expect(stats.entries).toBe(entries);

    for (const file of ['src/main.ts', 'code/main.ts', ...links.map(([path]) => path)]) {
      const text = readText(join(root, file));
      if (text === null) continue;
      const options = { filename: join(root, file), root, compat: [] };
      expect(compileAppModule(text, options)?.code, file).toContain(
        JSON.stringify(text.includes('main') ? workflow : step),
      );
    }

    const checked = await createSession({ root }).check();
    expect(checked.diagnostics).toEqual([]);
    expect(checked.stats).toMatchObject({ entries, steps: 1, workflows: 1 });

    const runtime = await createTestRuntime({ root });
    try {
      expect(await runtime.finish(await runtime.start('main', []))).toBe(2);
    } finally {
      await runtime.close();
    }
  });
});

test('a check of a file by the name of a link, and a text that an editor lays over it', async () => {
  const root = linked({ 'shared/a.ts': STEP, 'src/main.ts': workflow('./shared/a.ts') }, [['src/shared', '../shared']]);
  const broken = STEP.replace('async ', '');
  for (const name of ['src/shared/a.ts', 'src/shared', join(root, 'src/shared/a.ts')]) {
    const session = createSession({ root, files: [name] });
    expect((await session.check()).diagnostics, name).toEqual([]);
    session.update('src/shared/a.ts', broken);
    const { diagnostics, stats } = await session.check();
    expect(diagnostics.map(({ file, rule }) => [file, rule])).toEqual([['shared/a.ts', 'directive-not-async']]);
    expect(stats.entries).toBe(2);
    expect(session.source('src/shared/a.ts')).toBe(broken);
    expect(session.source('shared/a.ts')).toBe(broken);
  }
});

test('a session follows links that come, go and lead elsewhere', async () => {
  const root = linked({ 'v1/a.ts': STEP, 'v2/a.ts': STEP, 'src/main.ts': workflow('./a.ts') }, [
    ['current', 'v1'],
    ['src/a.ts', '../current/a.ts'],
  ]);
  const checker = createSession({ root });
  const builder = createBuildSession({ root, write: false });
  const steps = async (): Promise<unknown> => {
    const { program, diagnostics } = await checker.check();
    const { output } = await builder.build();
    const checked = program.modules.flatMap(({ functions }) => functions.filter(({ kind }) => kind === 'step'));
    return [
      checked.map(({ id }) => id),
      Object.keys(output?.manifest.steps ?? {}),
      diagnostics.map(({ rule }) => rule),
    ];
  };
  expect(await steps()).toEqual([['v1/a.ts#st'], ['v1/a.ts#st'], []]);
  rmSync(join(root, 'current'));
  expect(await steps()).toEqual([[], [], ['unresolved-import']]);
  symlinkSync('v2', join(root, 'current'));
  expect(await steps()).toEqual([['v2/a.ts#st'], ['v2/a.ts#st'], []]);
  rmSync(join(root, 'src/a.ts'));
  writeFileSync(join(root, 'src/a.ts'), STEP);
  expect(await steps()).toEqual([['src/a.ts#st'], ['src/a.ts#st'], []]);
});

test('workflows of a workspace package have the ids in an app that they have in the build', async () => {
  const root = linked(
    {
      '../flows/package.json': '{ "name": "@shop/flows", "version": "1.0.0", "main": "index.ts" }',
      '../flows/index.ts': `export async function flow() { 'use workflow'; }`,
      'src/main.ts': `import { flow } from '@shop/flows';\nexport async function main() { 'use workflow'; return flow(); }`,
    },
    [['node_modules/@shop/flows', '../../../flows']],
  );
  const { manifest } = await buildClean(root);
  expect(Object.keys(manifest.workflows)).toEqual(['@shop/flows@1.0.0/index.ts#flow', 'src/main.ts#main']);
  const filename = join(root, '../flows/index.ts');
  const made = compileAppModule(readFileSync(filename, 'utf8'), { filename, root, compat: [] });
  expect(made?.code).toContain('"@shop/flows@1.0.0/index.ts#flow"');
});
