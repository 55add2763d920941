import type { Use } from '../compiler/facts.ts';
import type { RelatedPlace } from '../diagnostics/types.ts';
import { chainPlaces, chainText, placeName, useVerb } from './chain.ts';
import { z } from 'zod';
import { defineRule } from './define-rule.ts';
import { type IoEnd, ioEnd } from './io.ts';
import { levelName } from './levels.ts';
import type { Hop, PackageEnd, PackageHop, Place, Reference } from './program.ts';
import { chainsFrom } from './workflow-chains.ts';

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
      "Everything in steps, those of packages too, and in code that only steps reach. `fetch` from `'pawl'`, which is a step. Types. Names of your own that shadow a global: a parameter `fetch` is not the global.",
    unseen:
      'In installed packages: files beyond 1 MB, packages deeper than `packageDepth`, methods of what a call returned. Closures that a function returns. Functions that arrive as arguments; variables to which something else is assigned later (`let short = table.deep`), whose calls `--stats` counts as unresolved; methods of instances whose class only a type would tell; setters of objects and of classes that another module declares; methods that a class of the same module overrides; functions in an object that a field of a class holds, where something is assigned to a member of that name, or the class is exported and the field not private; computed members. The other way round, what stands in for a parameter of an exported function counts as called, although all callers may give one. What is not seen fails in the sandbox, with a message that names it.',
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
  options: z.strictObject({
    packageDepth: z
      .int()
      .min(0)
      .max(10)
      .default(3)
      .describe(
        'Installed packages to look into, one behind the other, for what a workflow calls in them; 0 for none.',
      ),
  }),
  check({ program, report, optionsIn }) {
    const endOf = (use: Use, reference: Reference, { module }: Place): IoEnd | null => {
      const own = ioEnd(use, reference);
      if (own || reference.kind !== 'package') return own;
      const found = program.inPackage(module, use, reference, optionsIn(module.file).packageDepth);
      return found && packageEnd(found);
    };
    const chains = chainsFrom('io-in-workflow', program, 'workflow', endOf, {
      rank: (end) => (end.absent ? 1 : 0),
      outer: true,
    });
    for (const { hops, end } of chains) {
      const [first, second] = hops;
      const last = hops.at(-1) as Hop;
      const called = last.use.path.join('.');
      let reach = `${end.whole ? 'imports' : useVerb(first.use)} \`${end.name}\``;
      if (second) reach = `reaches \`${end.name}\` through \`${placeName(second)}\``;
      else if (end.inside) reach = `${useVerb(first.use)} \`${called}\`, which reaches \`${end.name}\``;
      const way = end.inside ? [called, ...end.inside.map(insideText), end.name].join(' → ') : end.name;
      report({
        file: first.module.file,
        span: first.use.span,
        message: `${levelName(first)} \`${placeName(first)}\` ${reach}: ${end.because}.`,
        chain: second || end.inside ? chainText(hops, way) : undefined,
        remedy: end.remedy,
        related:
          second || end.inside ? [...chainPlaces(hops, end.inside ? called : end.name), ...insidePlaces(end)] : [],
      });
    }
  },
});

/** A function of a package that does I/O is an end of its own: the author can only not call it. */
function packageEnd({ end, hops }: PackageEnd): IoEnd {
  return { ...end, inside: hops, remedy: MOVE_CALL };
}

const MOVE_CALL = "Move the call into a step, an async function that starts with 'use step', and call that.";

function insideText({ name, file, span }: PackageHop): string {
  return `${name} (${file}:${span.line}:${span.column})`;
}

function insidePlaces({ inside = [], name }: IoEnd): RelatedPlace[] {
  return inside.map((hop, index) => ({
    file: hop.file,
    span: hop.span,
    message: `\`${hop.name}\` leads to \`${inside[index + 1]?.name ?? name}\``,
  }));
}
