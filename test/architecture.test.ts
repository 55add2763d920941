import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { globSync } from 'tinyglobby';
import { describe, expect, test } from 'vitest';
import { findViolations, importsOf } from './support/architecture.ts';
import { ROOT } from './support/dist.ts';

const project = globSync(['src/**/*.ts', 'plugins/**/*.ts'], { cwd: ROOT }).map(
  (file) => [file.replaceAll('\\', '/'), readFileSync(join(ROOT, file), 'utf8')] as const,
);

test('the project keeps its import rules', () => {
  expect(findViolations(new Map(project))).toEqual([]);
});

describe('the rules can fail', () => {
  const planted: [name: string, files: Record<string, string>, expected: RegExp][] = [
    [
      'the compiler side imports the run side',
      { 'src/compiler/a.ts': `import { openStore } from '../store/index.ts';` },
      /src\/compiler\/a\.ts:1: src\/compiler may not import src\/store\/index\.ts/,
    ],
    [
      'the run side imports the compiler side, as a type',
      { 'src/runtime/a.ts': `\nimport type { Facts } from '../compiler/facts.ts';` },
      /src\/runtime\/a\.ts:2: src\/runtime may not import src\/compiler\/facts\.ts/,
    ],
    [
      'a rule takes a value from the compiler',
      { 'src/rules/a.ts': `import { x } from '../compiler/facts.ts';` },
      /only types may be imported/,
    ],
    [
      'diagnostics imports something of ours',
      { 'src/diagnostics/a.ts': `export * from '../manifest/index.ts';` },
      /src\/diagnostics may not import/,
    ],
    [
      'Babel outside of the compiler, by a dynamic import',
      { 'src/runtime/a.ts': `export const f = () => import('@babel/parser');` },
      /@babel\/parser is imported in src\/compiler alone/,
    ],
    [
      'the manifest takes a package',
      { 'src/manifest/a.ts': `import 'devalue';` },
      /src\/manifest may not import devalue/,
    ],
    [
      'the runtime takes a driver',
      { 'src/runtime/worker.ts': `type S = import('../store/sqlite/store.ts').S;` },
      /may not import src\/store\/sqlite/,
    ],
    [
      'a plugin reaches inside',
      { 'plugins/vite.ts': `import { a } from '../src/bundler/index.ts';` },
      /public entry points only/,
    ],
    [
      'a cycle',
      { 'src/store/a.ts': `import './b.ts';`, 'src/store/b.ts': `import './a.ts';` },
      /import cycle: src\/store\/a\.ts -> src\/store\/b\.ts -> src\/store\/a\.ts/,
    ],
    ['a long file', { 'src/store/a.ts': '\n'.repeat(601) }, /601 lines/],
    ['no suffix', { 'src/store/a.ts': `import './b';` }, /lacks its \.ts suffix/],
    ['a file outside of every part', { 'src/misc/a.ts': '' }, /no part that has an import rule/],
  ];
  test.each(planted)('%s', (_name, files, expected) => {
    expect(findViolations(new Map(Object.entries(files))).join('\n')).toMatch(expected);
  });
});

test('imports are found in every form', () => {
  const source = `
    import a from './a.ts';
    import { type B, type C } from './b.ts';
    export type * from './c.ts';
    export { d } from './d.ts';
    const e = await import('./e.ts');
    type F = import('./f.ts').F;`;
  expect(importsOf(source, 'x.ts').map(({ specifier, typeOnly }) => `${specifier} ${typeOnly}`)).toEqual([
    './a.ts false',
    './b.ts true',
    './c.ts true',
    './d.ts false',
    './e.ts false',
    './f.ts true',
  ]);
});
