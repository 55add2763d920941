/** Two findings as they are, with the texts that they are about. */
import { createDiagnostic, type Diagnostic, Positions, type Span } from '../../src/diagnostics/index.ts';

export const text = "import { priceOf } from './pricing';\n\nexport const quote = priceOf(1);\n";
export const helper = 'export const priceOf = (n: number) => fetch(n);\n';

export function at(source: string, needle: string): Span {
  const start = source.lastIndexOf(needle);
  return new Positions(source).span(start, start + needle.length);
}

export const chained = createDiagnostic('io-in-workflow', {
  file: 'src/quote.ts',
  span: at(text, 'priceOf'),
  message: 'Workflow `quote` reaches `fetch`.',
  chain: 'quote → priceOf (src/pricing.ts:1:39) → fetch',
  remedy: 'Move it into a step.',
  related: [
    { file: 'src/quote.ts', span: at(text, 'priceOf'), message: '`quote` calls `priceOf`' },
    { file: 'src/pricing.ts', span: at(helper, 'fetch'), message: '`priceOf` calls `fetch`' },
  ],
});

export const fixable: Diagnostic = createDiagnostic('directive-not-async', {
  file: 'src/pricing.ts',
  span: at(helper, 'priceOf'),
  message: 'Not\nasync.',
  fix: { title: "Add 'async'", edits: [{ start: 0, end: 0, text: 'async ' }] },
});
