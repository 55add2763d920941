import type { RaceFact } from '../compiler/facts.ts';
import { defineRule } from './define-rule.ts';
import { durableOf, type Reached, spanOf, workflowCode } from './durable.ts';
import { factsOf } from './place-facts.ts';
import type { Program } from './program.ts';

/**
 * A hook keeps what arrives before anybody listens. What loses payloads is a race that is over: it still listens, and takes the next
 * payload with it. Three shapes do that, and only those are reported.
 */
export const raceDropsHook = defineRule({
  name: 'race-drops-hook',
  by: 'program',
  description: 'A hook that is raced against a pause in a loop loses payloads',
  explanation: {
    mistake:
      'A loop races a hook against `sleep`, and after the pause has won it waits for something else before it races again; or it races a new `next()` of the iterator, or a new hook, in each turn.',
    why: 'The race that was lost still listens. What arrives before the next race begins goes to it, and nobody sees it. A new `next()` queues behind the lost one, which takes the first payload; a new hook leaves the old one, whose token others know, without a listener.',
    allowed:
      'Racing again at once, so that the new race listens together with the old one. Keeping `next()` in a variable until it has won. A hook with `.then(handler)` that writes to a variable, and a loop that waits for pauses only. Leaving the loop after the pause. A new hook in each turn that is disposed of, `using hook = createHook()`.',
    unseen: 'Races of three or more; races whose outcome is tested in a way that takes running the code.',
  },
  bad: `import { createHook, sleep } from 'pawl';

async function remind() {
  'use step';
  await fetch('https://mail.example/remind', { method: 'PUT' });
}

export async function approval(id: string) {
  'use workflow';
  const hook = createHook<boolean>({ token: 'approval:' + id });
  for (;;) {
    const approved = await Promise.race([hook, sleep('1 day')]);
    if (approved !== undefined) return approved;
    await remind();
  }
}
`,
  good: `import { createHook, sleep } from 'pawl';

async function remind() {
  'use step';
  await fetch('https://mail.example/remind', { method: 'PUT' });
}

export async function approval(id: string) {
  'use workflow';
  const hook = createHook<boolean>({ token: 'approval:' + id });
  let approved: boolean | undefined;
  const answer = hook.then((value) => {
    approved = value;
  });
  for (;;) {
    await Promise.race([answer, sleep('1 day')]);
    if (approved !== undefined) return approved;
    await remind();
  }
}
`,
  check({ program, report }) {
    for (const place of workflowCode(program)) {
      const { module } = place;
      for (const race of factsOf(place, module.calls?.races)) {
        if (!loses(program, place, race)) continue;
        const waits = waitsOf(program, place, race);
        const [first] = waits;
        report({
          file: module.file,
          span: race.span,
          message: `${MESSAGES[race.form]}${first ? ` (here \`${first.name}\`)` : ''}${ENDS[race.form]}`,
          remedy: REMEDIES[race.form],
          related: waits.map(({ name, span }) => ({
            file: module.file,
            span,
            message: `the loop waits for \`${name}\`, while the lost race still listens`,
          })),
        });
      }
    }
  },
});

const MESSAGES: Record<RaceFact['form'], string> = {
  value: 'When the pause wins, the loop waits for something else before it races again',
  iterator: 'When the pause wins, the `next()` that lost is forgotten',
  created: 'When the pause wins, the next turn makes a new hook and forgets this one',
};

const ENDS: Record<RaceFact['form'], string> = {
  value: ': what the hook receives meanwhile goes to the race that is over, and is lost.',
  iterator: ': the next payload goes to it, and is lost.',
  created: ': what is sent to it is lost.',
};

const REMEDIES: Record<RaceFact['form'], string> = {
  value:
    'Listen once before the loop, `const answer = hook.then((value) => { … })`, and race `answer`; or race again before anything else.',
  iterator: 'Keep `next()` in a variable, and ask for another one only after it has won.',
  created: 'Make the hook before the loop, or write `using hook = …` so that it is closed with the turn.',
};

function loses(program: Program, place: Reached, race: RaceFact): boolean {
  const { module } = place;
  const [hook, other] = [race.hook, race.other].map((index) => module.calls?.sites[index]);
  if (!hook || !other) return false;
  if (durableOf(program, module, hook)?.kind !== 'hook') return false;
  if (durableOf(program, module, other)?.kind !== 'sleep') return false;
  return race.form !== 'value' || waitsOf(program, place, race).length > 0;
}

function waitsOf(program: Program, { module }: Reached, { waits, form }: RaceFact) {
  if (form !== 'value') return [];
  return waits.flatMap((index) => {
    const site = module.calls?.sites[index];
    const durable = site && durableOf(program, module, site);
    return durable ? [{ name: durable.name, span: spanOf(module, site) }] : [];
  });
}
