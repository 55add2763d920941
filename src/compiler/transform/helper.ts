import { analyzeModule } from '../analyze/analyze.ts';
import { markModulePure, prune } from './prune.ts';
import { type Output, Transform } from './transform.ts';

/**
 * Marks the calls of a module without directives that a bundler may drop.
 *
 * @param keep - offsets in code of the top level that is wanted for what it changes; what else the module does then leaves
 */
export function transformHelper(source: string, file: string, keep: readonly number[] = []): Output {
  const analysis = analyzeModule(source, { file, packageName: null });
  if (analysis.broken) return { code: source, map: null };
  const transform = new Transform(analysis, 'workflow', keep);
  if (keep.length > 0) prune(transform);
  else markModulePure(transform);
  return transform.edits.apply(file);
}
