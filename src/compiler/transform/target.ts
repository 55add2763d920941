import type { Analysis } from '../analyze/analyze.ts';
import type { Node } from '../analyze/ast.ts';
import { exactDirective } from '../analyze/directives.ts';
import { transformClasses } from './classes.ts';
import { transformDefinitions } from './definitions.ts';
import type { Edits } from './edits.ts';
import { transformFunctions } from './functions.ts';
import { prune } from './prune.ts';
import { type Mode, type Output, Transform } from './transform.ts';

/**
 * Makes one target of an analyzed module, as text edits over the original: formatting, types and positions of all that
 * stays survive, and the next tool strips the types.
 */
export function transformTo(analysis: Analysis, mode: Mode, keep: readonly number[] = [], maps = true): Output {
  const transform = new Transform(analysis, mode, mode === 'workflow' ? keep : []);
  removeDirectives(transform);
  transformFunctions(transform);
  transformDefinitions(transform);
  transformClasses(transform);
  prune(transform);
  transform.importHelpers();
  return transform.edits.apply(analysis.model.file, maps);
}

/** A directive that stays would be compiled again by the next tool that knows pawl. */
function removeDirectives({ analysis, edits, source }: Transform): void {
  for (const directive of analysis.model.program.directives)
    if (exactDirective(directive.value.value)) cutDirective(edits, source, directive);
  for (const { site } of analysis.functions) {
    if (site.node.body.type !== 'BlockStatement') continue;
    for (const directive of site.node.body.directives)
      if (exactDirective(directive.value.value)) cutDirective(edits, source, directive);
  }
}

function cutDirective(edits: Edits, source: string, node: Node): void {
  const end = node.end as number;
  edits.cut(node.start as number, source[end] === ';' ? end + 1 : end);
}
