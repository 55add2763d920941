import { describe, expect, test } from 'vitest';
import { checkProgram, createMemoryResolve, type Diagnostic } from '../../src/checker/index.ts';
import type { ModuleFacts, Unit, Use } from '../../src/compiler/facts.ts';

/** Facts by hand: the checker needs no compiler, no disk, and no more than this. */
function use(kind: Use['kind'], path: string, access: Use['access'] = 'call', line = 1): Use {
  return { kind, path: path.split(' '), access, span: span(line) };
}

const span = (line: number) => ({
  start: line * 100,
  end: line * 100 + 5,
  line,
  column: 1,
  endLine: line,
  endColumn: 6,
});

function unit(kind: Unit['kind'], path: string, ...uses: Use[]): Unit {
  return { kind, path, span: span(1), nameSpan: span(1), uses };
}

function facts(file: string, parts: Partial<ModuleFacts>): [string, ModuleFacts] {
  const empty = { imports: [], exports: [], functions: [], definitions: [], classes: [], units: [], suppressions: [] };
  return [file, { version: 1, file, format: 'esm', directive: null, ...empty, ...parts }];
}

const imported = (source: string, name: string, local = name, typeOnly = false): ModuleFacts['imports'][number] => ({
  source,
  imported: name,
  local,
  form: 'import',
  typeOnly,
  span: span(1),
});

const exported = (name: string, local: string | null, source: string | null = null, from: string | null = null) => ({
  name,
  local,
  source,
  imported: from,
  typeOnly: false,
  span: span(1),
});

function check(...modules: [string, ModuleFacts][]) {
  const map = new Map(modules);
  return checkProgram(
    map,
    createMemoryResolve((file) => map.has(file)),
  );
}

const chains = (diagnostics: readonly Diagnostic[]) =>
  diagnostics.map(({ chain, message }) => chain ?? message.split(':')[0]);

describe('the program graph', () => {
  test('follows re-exports, namespaces and stars to the end', () => {
    const { diagnostics, stats } = check(
      facts('flow.ts', {
        imports: [imported('./barrel', '*', 'all'), imported('./barrel', 'named')],
        units: [
          unit('workflow', 'flow', use('import', 'all inner deep', 'call', 3), use('import', 'named', 'read', 4)),
        ],
      }),
      facts('barrel.ts', {
        exports: [
          exported('*', null, './star', '*'),
          exported('inner', null, './io', '*'),
          exported('named', null, './io', 'deep'),
        ],
      }),
      facts('star.ts', {}),
      facts('io.ts', {
        exports: [exported('deep', 'local')],
        units: [
          unit('function', 'local', use('local', 'last', 'call', 7)),
          unit('function', 'last', use('global', 'fetch', 'call', 8)),
        ],
      }),
    );
    const chain = 'flow → local (io.ts:7:1) → last (io.ts:8:1) → fetch';
    expect(chains(diagnostics)).toEqual([chain, chain]);
    expect(diagnostics.map(({ span: at }) => at.line)).toEqual([3, 4]);
    expect(diagnostics[0]?.related.map(({ file, span: at, message }) => `${file}:${at.line} ${message}`)).toEqual([
      'flow.ts:3 `flow` calls `local`',
      'io.ts:7 `local` calls `last`',
      'io.ts:8 `last` calls `fetch`',
    ]);
    expect(stats).toMatchObject({ modules: 4, workflows: 1, steps: 0, unresolved: 0 });
  });

  test('stops at steps, actions and other workflows', () => {
    const { diagnostics } = check(
      facts('a.ts', {
        units: [
          unit('workflow', 'outer', use('local', 'step'), use('local', 'inner'), use('nested', 'outer/nested')),
          unit('workflow', 'inner', use('local', 'step')),
          unit('step', 'step', use('global', 'fetch')),
          unit('step', 'outer/nested', use('global', 'fetch')),
        ],
      }),
    );
    expect(diagnostics).toEqual([]);
  });

  test('takes the shortest chain, and ends where a circle closes', () => {
    const { diagnostics } = check(
      facts('a.ts', {
        units: [
          unit('workflow', 'flow', use('local', 'long')),
          unit(
            'function',
            'long',
            use('local', 'longer', 'call', 2),
            use('local', 'short', 'call', 3),
            use('local', 'long'),
          ),
          unit('function', 'longer', use('local', 'short'), use('local', 'long')),
          unit('function', 'short', use('global', 'fetch', 'call', 9), use('local', 'longer')),
        ],
      }),
    );
    expect(chains(diagnostics)).toEqual(['flow → long (a.ts:3:1) → short (a.ts:9:1) → fetch']);
  });

  test('a star cycle, a missing file, a type and a computed specifier lead nowhere', () => {
    const { diagnostics, stats } = check(
      facts('a.ts', {
        imports: [imported('./b', 'x'), imported('./gone', 'y'), imported('node:fs', 'Stats', 'Stats', true)],
        exports: [exported('*', null, './b', '*')],
        units: [
          unit('workflow', 'flow', use('import', 'x'), use('import', 'y'), use('import', 'Stats'), use('module', '')),
        ],
      }),
      facts('b.ts', { exports: [exported('*', null, './a', '*')] }),
    );
    expect(diagnostics.map(({ rule, related }) => [rule, related])).toEqual([['dynamic-import', []]]);
    expect(stats.unresolved).toBe(4);
  });

  test('a step that many workflows share is judged once for each use', () => {
    const flows = Array.from({ length: 50 }, (_, index) =>
      unit('workflow', `flow${index}`, use('local', 'io', 'call', index + 1)),
    );
    const { diagnostics } = check(facts('a.ts', { units: [...flows, unit('function', 'io', use('global', 'fetch'))] }));
    expect(diagnostics).toHaveLength(50);
  });

  test('chains of any length end', () => {
    const length = 20_000;
    const units = Array.from({ length }, (_, index) => unit('function', `f${index}`, use('local', `f${index + 1}`)));
    const { diagnostics } = check(
      facts('a.ts', {
        units: [
          unit('workflow', 'flow', use('local', 'f0')),
          ...units,
          unit('function', `f${length}`, use('global', 'fetch')),
        ],
      }),
    );
    expect(diagnostics).toHaveLength(1);
    expect(diagnostics[0]?.related).toHaveLength(length + 2);
    expect(diagnostics[0]?.chain).toBe(
      'flow → f0 (a.ts:1:1) → f1 (a.ts:1:1) → f2 (a.ts:1:1) → … 19994 more … → f19997 (a.ts:1:1) → f19998 (a.ts:1:1) → f19999 (a.ts:1:1) → f20000 (a.ts:1:1) → fetch',
    );
  });

  test('the order of modules does not matter', () => {
    const modules = ['c', 'a', 'b'].map((name) =>
      facts(`${name}.ts`, {
        units: [unit('workflow', name, use('global', 'fetch', 'call', 2), use('global', 'fetch', 'call', 1))],
      }),
    );
    const forward = check(...modules).diagnostics;
    expect(forward.map(({ file, span: at }) => `${file}:${at.line}`)).toEqual([
      'a.ts:1',
      'a.ts:2',
      'b.ts:1',
      'b.ts:2',
      'c.ts:1',
      'c.ts:2',
    ]);
    expect(check(...modules.reverse()).diagnostics).toEqual(forward);
  });
});

describe('the memory resolver', () => {
  const files = new Set([
    'src/a.ts',
    'src/b/index.tsx',
    'src/c.js',
    'src/d.mts',
    'src/types.d.ts',
    'root.ts',
    'src/data.json',
  ]);
  const resolve = createMemoryResolve((file) => files.has(file));

  test.each([
    ['./a', 'file', 'src/a.ts'],
    ['./a.js', 'file', 'src/a.ts'],
    ['./b', 'file', 'src/b/index.tsx'],
    ['.', 'unresolved', undefined],
    ['./c.js', 'file', 'src/c.js'],
    ['./d.mjs', 'file', 'src/d.mts'],
    ['../root', 'file', 'root.ts'],
    ['../../outside', 'unresolved', undefined],
    ['./types', 'unresolved', undefined],
    ['./data.json', 'external', undefined],
    ['node:fs', 'builtin', undefined],
    ['fs/promises', 'builtin', undefined],
    ['node:sqlite', 'builtin', undefined],
    ['punycode/', 'external', undefined],
    ['zod', 'external', undefined],
  ])('%s', (specifier, kind, file) => {
    expect(resolve(specifier, 'src/main.ts')).toMatchObject(file === undefined ? { kind } : { kind, file });
  });
});
