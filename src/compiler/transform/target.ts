import type * as t from '@babel/types';
import type { SourceMap } from 'magic-string';
import type { Analysis } from '../analyze/analyze.ts';
import type { Node } from '../analyze/ast.ts';
import type { Target } from '../facts.ts';
import { transformClasses } from './classes.ts';
import { transformDefinitions } from './definitions.ts';
import { Edits } from './edits.ts';
import { transformFunctions } from './functions.ts';
import { prune } from './prune.ts';

/** The targets that users see, and `schemas`: nothing but the schemas of definitions, for the manifest. */
export type Mode = Target | 'schemas';

export interface Output {
  code: string;
  /** Null when the code is the source itself. */
  map: SourceMap | null;
}

const ENTRY: Record<Mode, string> = {
  workflow: 'pawl/internal/workflow',
  schemas: 'pawl/internal/workflow',
  step: 'pawl/internal/step',
  client: 'pawl/internal/client',
};

/** What the passes of one target share. */
export class Transform {
  readonly analysis: Analysis;
  readonly mode: Mode;
  readonly edits: Edits;
  readonly #helpers = new Set<string>();

  constructor(analysis: Analysis, mode: Mode) {
    this.analysis = analysis;
    this.mode = mode;
    this.edits = new Edits(analysis.model.source);
  }

  get source(): string {
    return this.analysis.model.source;
  }

  /** The local name of a helper, which the module will import. */
  helper(name: string): string {
    this.#helpers.add(name);
    return `__pawl_${name}`;
  }

  /** The helpers' import: at the end of ES modules (imports are hoisted, and no line moves), at the top of CommonJS. */
  importHelpers(): void {
    if (this.#helpers.size === 0) return;
    const names = [...this.#helpers].sort();
    const from = JSON.stringify(ENTRY[this.mode]);
    if (this.analysis.facts.format === 'cjs') {
      const list = names.map((name) => `${name}: __pawl_${name}`).join(', ');
      this.edits.insertFirst(firstStatement(this.analysis.model.program), `const { ${list} } = require(${from});\n`);
    } else {
      const list = names.map((name) => `${name} as __pawl_${name}`).join(', ');
      this.edits.append(`\nimport { ${list} } from ${from};\n`);
    }
  }
}

/**
 * Makes one target of an analyzed module, as text edits over the original: formatting, types and positions of all that
 * stays survive, and the next tool strips the types.
 */
export function transformTo(analysis: Analysis, mode: Mode): Output {
  const transform = new Transform(analysis, mode);
  removeDirectives(transform);
  transformFunctions(transform);
  transformDefinitions(transform);
  transformClasses(transform);
  prune(transform);
  transform.importHelpers();
  return transform.edits.apply(analysis.model.file);
}

/** A directive that stays would be compiled again by the next tool that knows pawl. */
function removeDirectives({ analysis, edits, source }: Transform): void {
  if (analysis.directive) cutDirective(edits, source, analysis.directive.node);
  for (const { site } of analysis.functions) if (!site.fromModule) cutDirective(edits, source, site.directive);
}

function cutDirective(edits: Edits, source: string, node: Node): void {
  const end = node.end as number;
  edits.cut(node.start as number, source[end] === ';' ? end + 1 : end);
}

/** Offset before the first statement that is no import. */
export function firstStatement(program: t.Program): number {
  const first = program.body.find((node) => node.type !== 'ImportDeclaration');
  return (first?.start ?? program.end ?? 0) as number;
}
