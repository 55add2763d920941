import type { CallSite, ModuleFacts, TryFact } from '../compiler/facts.ts';
import { isSdk } from '../sdks.ts';
import { placeName } from './chain.ts';
import { defineRule } from './define-rule.ts';
import { durableOf, functionOf, type Reached, spanOf, workflowCode } from './durable.ts';
import { wayTo } from './floating-step.ts';
import { factsOf } from './place-facts.ts';
import type { Program } from './program.ts';

/**
 * A `catch` around durable calls that never looks at the error, and does nothing but go on. One that looks, records the failure,
 * leaves the function or compensates is a decision; this is none.
 */
export const swallowedCancellation = defineRule({
  name: 'swallowed-cancellation',
  by: 'program',
  description: 'A catch-all around durable calls swallows the cancellation of the run',
  explanation: {
    mistake:
      'A `catch` around durable calls does nothing, or writes a log, or pauses, and the workflow goes on to further durable calls.',
    why: 'When a run is cancelled, the durable calls that it waits for reject with `CancelledError`, once. A handler that lets every error pass lets that one pass too: the run goes on as if nobody had cancelled it, in a loop for ever.',
    allowed:
      'A handler that throws, returns, leaves the loop, looks at the error, notes the failure or compensates; the last thing that a workflow does; `Promise.allSettled`.',
    unseen: 'Handlers that do more but should not go on either; `.catch(() => {})`.',
  },
  bad: `import { sleep } from 'pawl';

async function poll(turn: number) {
  'use step';
  return (await fetch('https://feed.example/' + turn)).ok;
}

export async function watch() {
  'use workflow';
  for (let turn = 0; turn < 24; turn++) {
    try {
      await poll(turn);
    } catch {
      console.log('try again later');
    }
    await sleep('1 hour');
  }
}
`,
  good: `import { CancelledError, sleep } from 'pawl';

async function poll(turn: number) {
  'use step';
  return (await fetch('https://feed.example/' + turn)).ok;
}

export async function watch() {
  'use workflow';
  for (let turn = 0; turn < 24; turn++) {
    try {
      await poll(turn);
    } catch (error) {
      if (CancelledError.is(error)) throw error;
    }
    await sleep('1 hour');
  }
}
`,
  check({ program, report }) {
    if (isForOthers(program)) return;
    for (const place of workflowCode(program)) {
      const { module } = place;
      for (const fact of factsOf(place, module.calls?.tries)) {
        const guarded = guardedCall(program, place, fact);
        if (!guarded || !handlerOnlyPauses(program, module, fact) || !goesOn(program, place, fact)) continue;
        const name = durableOf(program, module, guarded)?.name ?? '';
        report({
          file: module.file,
          span: fact.span,
          message: `\`${placeName(place)}\` goes on after any error of \`${name}\`, and so after the cancellation of the run, which is told only once.`,
          remedy: 'Look at the error: `if (CancelledError.is(error)) throw error;`, with `CancelledError` of pawl.',
          ...(place.hops.length > 0 ? { chain: wayTo(place, name).chain } : {}),
          related: [
            {
              file: module.file,
              span: spanOf(module, guarded),
              message: `\`${name}\` rejects when the run is cancelled`,
            },
          ],
        });
      }
    }
  },
});

/** Programs for an SDK whose cancelled runs just stop. */
function isForOthers({ modules }: Program): boolean {
  const sources = new Set<string>();
  for (const { imports } of modules) for (const { source } of imports) sources.add(source);
  const sdks = [...sources].filter(isSdk);
  return sdks.length > 0 && !sdks.some((source) => /^pawl(?:\/|$)/.test(source));
}

function isIn(module: ModuleFacts, site: CallSite, { start, end }: Pick<TryFact, 'start' | 'end'>): boolean {
  const at = spanOf(module, site).start;
  return start <= at && at < end;
}

/** A durable call whose rejection the handler gets: awaited in the block, or in what `Promise.all` combines there. */
function guardedCall(program: Program, { module, sites }: Reached, fact: TryFact): CallSite | undefined {
  return sites.find((site) => {
    if (!isIn(module, site, fact) || durableOf(program, module, site) === null) return false;
    if (site.fn === fact.fn) return site.result === 'awaited' || site.result === 'combined';
    const fn = functionOf(module, site.fn);
    return fn?.fn === fact.fn && fn?.role?.result === 'combined' && /^(?:awaited|returned)$/.test(site.result);
  });
}

function handlerOnlyPauses(program: Program, module: ModuleFacts, { sites }: TryFact): boolean {
  return sites.every((index) => {
    const site = module.calls?.sites[index];
    return site !== undefined && durableOf(program, module, site)?.kind === 'sleep';
  });
}

/** Further durable calls come: in the next turn of a loop, or behind the statement. */
function goesOn(program: Program, { module, sites }: Reached, { loop, after, fn }: TryFact): boolean {
  if (loop !== undefined) return true;
  return sites.some(
    (site) => site.fn === fn && spanOf(module, site).start >= after && durableOf(program, module, site) !== null,
  );
}
