import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import babelTraverse, { type NodePath } from '@babel/traverse';
import type * as t from '@babel/types';
import { describe, expect, test } from 'vitest';
import { EXPRESSIONS, FORMS, PLACES, placed, program } from '../../fixtures/forms/table.ts';
import { analyzeModule } from '../../src/compiler/analyze/analyze.ts';
import { parseModule } from '../../src/compiler/parse/parse.ts';

/**
 * The compiler resolves names in its own single walk, because a whole-file scope crawl costs several parses. Here
 * @babel/traverse is the judge: on every fixture and on pawl's own sources both must agree on what each reference means.
 */
const traverse = (babelTraverse as unknown as { default?: typeof babelTraverse }).default ?? babelTraverse;

function ours(source: string, file: string): Map<number, number | 'global'> {
  const { model } = analyzeModule(source, { file, packageName: null });
  const found = new Map<number, number | 'global'>();
  for (const ref of model.refs)
    found.set(ref.node.start as number, ref.binding ? (ref.binding.node.start as number) : 'global');
  return found;
}

function babels(source: string, file: string): Map<number, number | 'global'> {
  const { program: ast } = parseModule(source, file);
  const found = new Map<number, number | 'global'>();
  // It declares neither namespaces nor enums nor parameter properties, and takes their names for globals.
  const unknownToBabel = new Set(
    [...source.matchAll(/\b(?:namespace|enum|private readonly|public|readonly) (\w+)/g)].map((match) => match[1]),
  );
  const note = (path: NodePath<t.Identifier | t.JSXIdentifier>) => {
    const { node } = path;
    if (node.name === 'arguments' || inType(path) || unknownToBabel.has(node.name)) return;
    // `declare global { … }` names nothing.
    if (path.parent.type === 'TSModuleDeclaration' && path.key === 'id') return;
    const binding = path.scope.getBinding(node.name);
    // It takes the name of a function expression for a variable of its body, so that it hides one of that name that is there.
    const home = binding?.kind === 'local' ? binding.path : null;
    if (home?.isFunctionExpression() && home.node.body.body.some((each) => declares(each, node.name))) return;
    found.set(node.start as number, binding ? (binding.identifier.start as number) : 'global');
  };
  traverse({ type: 'File', program: ast } as t.File, { ReferencedIdentifier: note as never });
  return found;
}

function declares(statement: t.Statement, name: string): boolean {
  return (
    statement.type === 'VariableDeclaration' &&
    statement.declarations.some(({ id }) => id.type === 'Identifier' && id.name === name)
  );
}

function inType(path: NodePath): boolean {
  if (path.findParent((parent) => (parent.node as t.ExportNamedDeclaration).exportKind === 'type')) return true;
  return (
    path.findParent((parent) =>
      /^TS(?!As|Satisfies|NonNull|TypeAssertion|Instantiation|ModuleBlock|ModuleDeclaration|ParameterProperty|Enum|ExportAssignment)/.test(
        parent.type,
      ),
    ) !== null
  );
}

function expectAgreement(source: string, file: string): void {
  const mine = ours(source, file);
  const theirs = babels(source, file);
  const differences: string[] = [];
  for (const [offset, binding] of theirs) {
    const own = mine.get(offset);
    if (own === binding) continue;
    differences.push(
      `${file}:${offset} '${source.slice(offset, offset + 20).split('\n')[0]}' ours ${own}, babel ${binding}`,
    );
  }
  expect(differences).toEqual([]);
  expect(mine.size).toBeGreaterThanOrEqual(theirs.size);
}

function sourceFiles(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !entry.name.endsWith('.d.ts'))
    .map((entry) => join(entry.parentPath, entry.name));
}

describe('scope analysis agrees with @babel/traverse', () => {
  const cases = [
    ...FORMS,
    ...PLACES.flatMap((place) => Object.values(EXPRESSIONS).map((expression) => placed(place, expression))),
  ];
  test('on every form in every place', () => {
    for (const each of cases) expectAgreement(program(each), each.file ?? 'src/main.ts');
  });

  test.each(['src/compiler', 'src/checker', 'src/store', 'src/cli', 'fixtures', 'test'])('on %s', (dir) => {
    const files = sourceFiles(dir);
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) expectAgreement(readFileSync(file, 'utf8'), file);
  });

  test('on shadowing, hoisting, patterns, classes, loops and labels', () => {
    expectAgreement(TRICKY, 'src/tricky.ts');
  });
});

const TRICKY = `
import def, { a as b, type T } from 'x';
import * as ns from 'y';
const x = 1, { y, z: { w = x }, ...rest } = obj, [p, , q = y] = list;
hoisted(); function hoisted(x = y, { x: inner } = {}) { var v = x; if (v) { let v = inner; use(v); } return v; }
use(v2); { var v2 = 1; function blockFn() { return blockFn; } blockFn(); }
blockFn();
for (let i = 0, n = i; i < n; i++) { setTimeout(() => i); } i;
for (const [k, val] of Object.entries(x)) { k; val; } k;
for (x.y of z) {} for (b in ns) {}
label: while (true) { break label; }
try { t } catch ({ message, code = x }) { message; code; } message;
switch (x) { case 1: let s = 2; case s: s; } s;
class A extends ns.Base { static f = A; [x] = this.y; #p = b; static { var sv = 1; sv; } m(A) { return A; } get g() { return sv; } }
const B = class C { c = C; }; C;
const fn = function self() { return self; }; self;
const arrow = (a1, { b1 = a1 }, ...c1) => ({ a1, b1, c1, d1 });
({ a: x.a, b: [rest.c], ...p.d } = def); [q, b] = [1, 2];
export { x as default, y as 'str' }; export * from 'z'; export { k2 } from 'w';
enum E { One = x, Two = One } namespace N { export const inN = 1; inN; } inN; N.inN;
const tagged = ns.tag\`\${x} \${unknown}\`; const o = { x, y() { return y; }, [z]: 1, async *gen() { yield x; } };
new.target; import.meta.url; delete x.y; typeof undeclared; void 0; x?.y?.[z]?.(q);
async () => { for await (const x of gen()) x; using r = x; r; };
abstract class D<T2> { constructor(private readonly pp: T2, public qq = pp) {} abstract m(x: number): T; declare z: string; }
let as = x as T; let sat = x satisfies T; let nn = x!; let inst = fn<string>; type Q = typeof x; interface I { x: T }
declare const ambient: number; declare function amb(x: number): void; function over(a: number): void; function over(a: any) { a; }
`;
