import { chainPlaces, chainText, placeName, useVerb } from './chain.ts';
import { defineRule } from './define-rule.ts';
import { ioEnd } from './io.ts';
import { isPlain, levelName, WORKFLOW_KINDS } from './levels.ts';

/**
 * Follows every use in a workflow through helpers, modules and re-exports, and stops at steps. Reported at the use in the
 * workflow, for that is what its author must change; the chain shows the way to the end.
 */
export const ioInWorkflow = defineRule({
  name: 'io-in-workflow',
  by: 'program',
  description: 'Workflow code does I/O, itself or through any helper',
  explanation: {
    mistake:
      'A workflow calls `fetch`, `XMLHttpRequest`, `WebSocket`, `EventSource` or a module of Node (in any form of import), directly or through helpers in whatever file.',
    why: 'A workflow is replayed after a crash, and its code must then do exactly what it did before. I/O would happen a second time, and might give another answer. The sandbox has neither network nor disk, so at run time it fails.',
    allowed:
      "Everything in steps and in code that only steps reach. `fetch` from `'pawl'`, which is a step. Types. Names of your own that shadow a global: a parameter `fetch` is not the global.",
    unseen:
      'Packages in `node_modules` that do I/O; functions that arrive as arguments; methods of instances whose class only a type would tell; computed members.',
  },
  bad: {
    'src/pricing.ts': `export async function priceOf(sku: string) {
  const response = await fetch('https://prices.example/' + sku);
  return (await response.json()) as number;
}
`,
    'src/fulfil.ts': `import { priceOf } from './pricing';

export async function fulfil(sku: string) {
  'use workflow';
  return priceOf(sku);
}
`,
  },
  good: {
    'src/pricing.ts': `export async function priceOf(sku: string) {
  'use step';
  const response = await fetch('https://prices.example/' + sku);
  return (await response.json()) as number;
}
`,
    'src/fulfil.ts': `import { priceOf } from './pricing';

export async function fulfil(sku: string) {
  'use workflow';
  return priceOf(sku);
}
`,
  },
  check({ program, report }) {
    const chains = program.chains({
      rule: 'io-in-workflow',
      roots: program.places(...WORKFLOW_KINDS),
      end: (use, reference) => ioEnd(use, reference),
      rank: (end) => (end.absent ? 1 : 0),
      through: isPlain,
    });
    for (const { hops, end } of chains) {
      const [first, second] = hops;
      const reach = second
        ? `reaches \`${end.name}\` through \`${placeName(second)}\``
        : `${end.whole ? 'imports' : useVerb(first.use)} \`${end.name}\``;
      report({
        file: first.module.file,
        span: first.use.span,
        message: `${levelName(first)} \`${placeName(first)}\` ${reach}: ${end.because}.`,
        chain: second && chainText(hops, end.name),
        remedy: end.remedy,
        related: second ? chainPlaces(hops, end.name) : [],
      });
    }
  },
});
