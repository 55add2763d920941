import ts from 'typescript';
import { expect, test } from 'vitest';
import { createRegistry } from '../../src/checker/types/registry.ts';

const OPTIONS: ts.CompilerOptions = { target: ts.ScriptTarget.ES2022 };
const LIB = ts.getDefaultLibFilePath(OPTIONS);
const OWN = '/project/src/lib.own.d.ts';

const acquire = (registry: ts.DocumentRegistry, file: string, text = ts.sys.readFile(file) ?? ''): ts.SourceFile =>
  registry.acquireDocument(file, OPTIONS, ts.ScriptSnapshot.fromString(text), '1', undefined, OPTIONS.target);

test('what TypeScript declares is parsed once in a process, however many sessions come and go', () => {
  const [first, second] = [createRegistry(ts), createRegistry(ts)];
  const lib = acquire(first, LIB);
  first.releaseDocument(LIB, OPTIONS, ts.ScriptKind.TS, undefined);
  expect(acquire(second, LIB)).toBe(lib);
  expect(acquire(createRegistry(ts), LIB)).toBe(lib);
});

test('everything else goes with its session, whatever it is called', () => {
  const [first, second] = [createRegistry(ts), createRegistry(ts)];
  const own = acquire(first, OWN, 'declare const a: 1;');
  expect(acquire(first, OWN, 'declare const a: 1;')).toBe(own);
  expect(acquire(second, OWN, 'declare const a: 1;')).not.toBe(own);
  first.releaseDocument(OWN, OPTIONS, ts.ScriptKind.TS, undefined);
  first.releaseDocument(OWN, OPTIONS, ts.ScriptKind.TS, undefined);
  expect(acquire(first, OWN, 'declare const a: 1;')).not.toBe(own);
});
