import { analyzeModule } from '../analyze/analyze.ts';
import { markModulePure } from './prune.ts';
import { type Output, Transform } from './transform.ts';

/** Marks the calls of a module without directives that a bundler may drop. */
export function transformHelper(source: string, file: string): Output {
  const analysis = analyzeModule(source, { file, packageName: null });
  if (analysis.broken) return { code: source, map: null };
  const transform = new Transform(analysis, 'workflow');
  markModulePure(transform);
  return transform.edits.apply(file);
}
