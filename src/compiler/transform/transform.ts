import type { SourceMap } from 'magic-string';
import type { Analysis } from '../analyze/analyze.ts';
import type { Node } from '../analyze/ast.ts';
import type { DirectiveFunction } from '../analyze/model.ts';
import type { Target } from '../facts.ts';
import { Edits } from './edits.ts';
import { firstStatement } from './places.ts';

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

/** Helpers of the workflow target that bring code along: only programs that call them get it, or even read it. */
const HEAVY: Readonly<Record<string, string>> = { agentDefinition: 'pawl/internal/workflow-agent' };

/** What the passes of one target share. */
export class Transform {
  readonly analysis: Analysis;
  readonly mode: Mode;
  readonly edits: Edits;
  readonly #helpers = new Set<string>();
  #functionOf: Map<Node, DirectiveFunction> | null = null;
  #prefix: string | null = null;
  /** Offsets in code of the top level that has to stay, because it changes what workflows read elsewhere. */
  readonly keep: readonly number[];

  constructor(analysis: Analysis, mode: Mode, keep: readonly number[] = []) {
    this.analysis = analysis;
    this.mode = mode;
    this.keep = keep;
    this.edits = new Edits(analysis.model.source);
  }

  get source(): string {
    return this.analysis.model.source;
  }

  /** The functions with a directive by their nodes. */
  get functionOf(): ReadonlyMap<Node, DirectiveFunction> {
    this.#functionOf ??= new Map(this.analysis.functions.map((fn) => [fn.site.node, fn]));
    return this.#functionOf;
  }

  /** The local name of a helper, which the module will import. */
  helper(name: string): string {
    this.#helpers.add(name);
    return this.local(name);
  }

  /** A name that means nothing in the user's code. */
  local(name: string): string {
    this.#prefix ??= freePrefix(this.source);
    return this.#prefix + name;
  }

  /** Cuts a whole statement. */
  cutStatement(start: number, end: number): void {
    this.edits.cut(start, end);
    if (this.gluesTo(end)) this.edits.insertForGood(end, ';');
  }

  /**
   * Whether what follows would go on with the statement before, if the one in between were gone: a function declaration ends
   * by itself, and `[1]` in front of it and `[0]` behind it must not meet.
   */
  gluesTo(end: number): boolean {
    return /^(?:\s|\/\/[^\n]*|\/\*[^]*?\*\/)*(?:[[(+\-`*,.]|\/(?![/*]))/.test(this.source.slice(end, end + 2000));
  }

  /** The helpers' import: at the end of ES modules (imports are hoisted, and no line moves), at the top of CommonJS. */
  importHelpers(): void {
    if (this.#helpers.size === 0) return;
    const entries = new Map<string, string[]>();
    for (const name of [...this.#helpers].sort()) {
      const entry = HEAVY[name] ?? ENTRY[this.mode];
      entries.set(entry, [...(entries.get(entry) ?? []), name]);
    }
    for (const [entry, names] of entries) this.#importFrom(entry, names);
  }

  #importFrom(entry: string, names: readonly string[]): void {
    const from = JSON.stringify(entry);
    if (this.analysis.facts.format === 'cjs') {
      const list = names.map((name) => `${name}: ${this.local(name)}`).join(', ');
      this.edits.insertFirst(firstStatement(this.analysis.model.program), `const { ${list} } = require(${from});\n`);
    } else {
      const list = names.map((name) => `${name} as ${this.local(name)}`).join(', ');
      this.edits.append(`\nimport { ${list} } from ${from};\n`);
    }
  }
}

/** `__pawl_`, or `__pawl1_` and so on where the user's code has names of that kind. */
function freePrefix(source: string): string {
  let prefix = '__pawl_';
  for (let i = 1; source.includes(prefix); i++) prefix = `__pawl${i}_`;
  return prefix;
}
