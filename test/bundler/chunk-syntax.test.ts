import { expect, test } from 'vitest';
import { findChunkSyntax } from '../../src/bundler/chunk-syntax.ts';

test.each([
  [
    'a mark of a bundler',
    'const a = /* @__PURE__ */ f();\nconst b = /** @__PURE__ */ f();\nconst c = /*@__PURE__*/ f();',
    0,
  ],
  ['a decorator of a class', '@logged class A {}', 1],
  ['decorators behind all that may stand before one', 'class A {\n@a x = 1;\n  @(b) y() {}\n static z;@c w; }', 3],
  ['a decorator behind a mark', 'const a = /* @__PURE__ */ (() => { /* x */ @d class A {} return A; })();', 1],
  ['an address in a text', "send('me @home')", 0],
])('%s', (_name, code, decorators) => {
  expect(findChunkSyntax(code).decorators).toHaveLength(decorators);
});

test('what is found comes with its place', () => {
  const code = 'const a = /* @__PURE__ */ f();\nclass A { accessor x = 1; }\nawait import(a);';
  const { imports, accessors, decorators } = findChunkSyntax(code);
  expect(imports.map((at) => code.slice(at, at + 9))).toEqual(['import(a)']);
  expect(accessors.map((at) => code.slice(at, at + 10))).toEqual(['accessor x']);
  expect(decorators).toEqual([]);
});
