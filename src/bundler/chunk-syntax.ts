import { parseAst } from 'rolldown/parseAst';

/** What a chunk may have that no bundle of pawl can do with; offsets into its code. */
export interface ChunkSyntax {
  /** `import()` expressions: the bundler is done, so the specifier is computed. */
  imports: number[];
  /** Decorators of the standard, which Node does not know yet. Those of `experimentalDecorators` are compiled away. */
  decorators: number[];
  /** `accessor` fields that `lowerAccessors` had to leave, without decorators. */
  accessors: number[];
}

/** Bundlers note `/* @__PURE__ *\/` all over a chunk: those are no decorators. */
const LIKELY = /\bimport\s*\(|(?:^|[\s;{(])(?<!\/\*+\s?)@[\w$(]|\baccessor\s+[\w$#[\\'"]/;

/** Cheap tests first: most chunks have none of it, and are not parsed. */
export function findChunkSyntax(code: string): ChunkSyntax {
  const found: ChunkSyntax = { imports: [], decorators: [], accessors: [] };
  if (!LIKELY.test(code)) return found;
  eachNode(parseAst(code), ({ type, start, decorators }) => {
    if (type === 'ImportExpression') found.imports.push(start as number);
    else if (type === 'Decorator') found.decorators.push(start as number);
    else if (type === 'AccessorProperty' && (decorators as unknown[]).length === 0)
      found.accessors.push(start as number);
  });
  return found;
}

/**
 * Takes the `import()` expressions out of a workflow bundle: they would lead out of the sandbox. `__load` is as long as `import`, so
 * no place moves; `wrapWorkflowBundle` defines it.
 */
export function disableImports(code: string, { imports }: ChunkSyntax): string {
  let out = code;
  for (const at of imports) out = `${out.slice(0, at)}__load${out.slice(at + 'import'.length)}`;
  return out;
}

export function eachNode(node: unknown, visit: (node: Record<string, unknown>) => void): void {
  if (Array.isArray(node)) {
    for (const each of node) eachNode(each, visit);
  } else if (typeof node === 'object' && node !== null) {
    visit(node as Record<string, unknown>);
    for (const value of Object.values(node)) if (typeof value === 'object') eachNode(value, visit);
  }
}
