import type * as t from '@babel/types';
import type { DirectiveKind } from '../facts.ts';
import type { FunctionNode } from './ast.ts';

const EXACT: ReadonlyMap<string, DirectiveKind> = new Map([
  ['use step', 'step'],
  ['use workflow', 'workflow'],
]);

/** Directives of other tools that are near to ours in spelling. */
const OTHERS = new Set([
  'use strict',
  'use server',
  'use client',
  'use cache',
  'use memo',
  'use asm',
  'use no memo',
  'use static',
]);

/** The kind that a directive text means exactly, or null. */
export function exactDirective(text: string): DirectiveKind | null {
  return EXACT.get(text) ?? null;
}

/** The kind that a misspelled text was meant to be, or null: other case, `-`, `_`, plural, or two letters off. */
export function meantDirective(raw: string): DirectiveKind | null {
  // With an escape in it a text is no directive, whatever it spells.
  const text = raw.replace(/\\u\{?([\da-f]{2,6})\}?|\\x([\da-f]{2})/gi, (_, unicode?: string, hex?: string) =>
    String.fromCodePoint(Number.parseInt(unicode ?? hex ?? '20', 16) % 0x110000),
  );
  const loose = /^\s*use[\s_-]*(step|workflow)s?\s*;?\s*$/i.exec(text);
  if (loose) return (loose[1] as string).toLowerCase() as DirectiveKind;
  if (!/^use\s/i.test(text) || OTHERS.has(text.toLowerCase())) return null;
  for (const [exact, kind] of EXACT) if (distance(text.toLowerCase(), exact) <= 2) return kind;
  return null;
}

export function isDirectiveLike(text: string): boolean {
  return EXACT.has(text) || meantDirective(text) !== null;
}

/** The first step or workflow directive in a function's prologue. */
export function directiveOf(node: FunctionNode): { kind: DirectiveKind; node: t.Directive } | null {
  if (node.body.type !== 'BlockStatement') return null;
  for (const directive of node.body.directives) {
    const kind = exactDirective(directive.value.value);
    if (kind) return { kind, node: directive };
  }
  return null;
}

/** Edits (insert, delete, replace, swap of neighbours) between two short texts: the optimal string alignment distance. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3;
  const rows: number[][] = [];
  for (let i = 0; i <= a.length; i++) {
    const row: number[] = [i];
    for (let j = 1; j <= b.length; j++) {
      if (i === 0) {
        row.push(j);
        continue;
      }
      const above = rows[i - 1] as number[];
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((above[j] as number) + 1, (row[j - 1] as number) + 1, (above[j - 1] as number) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, ((rows[i - 2] as number[])[j - 2] as number) + 1);
      row.push(best);
    }
    rows.push(row);
  }
  return (rows[a.length] as number[])[b.length] as number;
}
