import type { CallSite, LoopFact, ModuleFacts } from '../compiler/facts.ts';
import { placeName } from './chain.ts';
import { defineRule } from './define-rule.ts';
import { durableOf, functionOf, type Reached, referenceOf, spanOf, workflowCode } from './durable.ts';
import { isPlain, WORKFLOW_KINDS } from './levels.ts';
import { wantedOf } from './per-list.ts';
import { factsOf, isListed } from './place-facts.ts';
import type { Place, Program } from './program.ts';

/**
 * Loops of the workflow function itself, and of helpers that a workflow calls and awaits: a loop in a nested function may be one side
 * of a race, which ends it.
 */
export const unboundedLoop = defineRule({
  name: 'unbounded-loop',
  by: 'program',
  description: 'An endless loop over durable calls that nothing leaves',
  explanation: {
    mistake:
      'A `while (true)` or `for (;;)` in workflow code awaits durable calls, and neither its head nor a `break`, `return` or `throw` ends it.',
    why: 'Each turn is recorded, so the event log grows for as long as the run lives, and after a crash all of it is replayed. Such a run is never done, and it keeps the code that it began with.',
    allowed:
      'A loop with an exit, also one that is rarely taken. A loop that calls a function which throws. A loop in a nested function, one side of a race perhaps. `for await` over a hook.',
    unseen: 'Conditions that never come true; workflows that start themselves again without end.',
  },
  bad: `import { sleep } from 'pawl';

async function poll() {
  'use step';
  return (await fetch('https://feed.example')).ok;
}

export async function watch() {
  'use workflow';
  while (true) {
    await poll();
    await sleep('1 hour');
  }
}
`,
  good: `import { sleep } from 'pawl';

async function poll() {
  'use step';
  return (await fetch('https://feed.example')).ok;
}

export async function watch() {
  'use workflow';
  for (let turn = 0; turn < 24; turn++) {
    await poll();
    await sleep('1 hour');
  }
}
`,
  check({ program, report }) {
    for (const place of awaitedCode(program)) {
      const { module, sites } = place;
      for (const loop of factsOf(place, endlessLoops(module.calls?.loops))) {
        const inside = sites.filter((site) => isIn(module, site, loop));
        const waits = inside.find(
          ({ result, fn, ...site }) =>
            fn === undefined && result === 'awaited' && durableOf(program, module, { result, ...site }) !== null,
        );
        if (!waits || inside.some((site) => mayThrow(program, module, site))) continue;
        const name = durableOf(program, module, waits)?.name;
        report({
          file: module.file,
          span: loop.span,
          message: `Nothing ends this loop of \`${placeName(place)}\`, and each turn is recorded: the event log of the run grows without end.`,
          remedy:
            'Let it end, after so many turns or on a condition, and start a new run from a step with what has to go on.',
          related: [
            { file: module.file, span: spanOf(module, waits), message: `\`${name}\` is recorded in each turn` },
          ],
        });
      }
    }
  },
});

const endlessLoops = wantedOf(({ endless, exits, fn }: LoopFact) => endless && !exits && fn === undefined);

/** Workflows, and helpers that they call and await in their own body, so that a loop there holds up the workflow. */
function awaitedCode(program: Program): Reached[] {
  const reached = workflowCode(program);
  if (!reached.some(({ module }) => endlessLoops(module.calls?.loops).length > 0)) return [];
  const awaited = new Set<Place['unit']>();
  for (const { unit } of reached) if ((WORKFLOW_KINDS as readonly string[]).includes(unit.kind)) awaited.add(unit);
  for (const { module, unit, sites } of reached) {
    if (!awaited.has(unit)) continue;
    for (const site of sites) {
      if (site.fn !== undefined || (site.result !== 'awaited' && site.result !== 'returned')) continue;
      const reference = referenceOf(program, module, site);
      if (reference.kind === 'unit' && isPlain(reference)) awaited.add(reference.unit);
    }
  }
  return reached.filter(({ unit }) => awaited.has(unit));
}

function isIn(module: ModuleFacts, site: CallSite, { start, end }: LoopFact): boolean {
  const at = spanOf(module, site).start;
  return start <= at && at < end;
}

/** A helper that throws ends the loop. */
function mayThrow(program: Program, module: ModuleFacts, site: CallSite): boolean {
  if (functionOf(module, site.inner)) return true;
  const reference = referenceOf(program, module, site);
  if (reference.kind !== 'unit' || !isPlain(reference)) return false;
  return program.reach(reference, isPlain).some((place) => isListed(place, place.module.calls?.throws));
}
