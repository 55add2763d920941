import type { ModuleFacts, PauseFact } from '../compiler/facts.ts';
import type { Fix, TextEdit } from '../diagnostics/types.ts';
import { givesPart } from '../sdks.ts';
import { defineRule } from './define-rule.ts';
import type { Hop, Place, Program, Reference } from './program.ts';
import { lackEnd } from './sandbox.ts';
import { chainFinding, chainsFrom, type NamedEnd } from './workflow-chains.ts';

/**
 * A pause that is nothing but a pause has a durable counterpart, so it can be repaired where the workflow itself makes it; a helper
 * may be called by steps as well, in which `sleep` does not work.
 */
export const timerInWorkflow = defineRule({
  name: 'timer-in-workflow',
  by: 'program',
  description: 'Workflow code waits for a timer of the process',
  explanation: {
    mistake:
      'A workflow calls `setTimeout`, `setInterval`, `setImmediate`, `process.nextTick`, `AbortSignal.timeout` or `scheduler.wait`, or passes one of them on, directly or through helpers; or a function that it reaches hands itself to `queueMicrotask` again and again.',
    why: 'A timer lives in a process. After a crash it is gone, in a replay it would fire at another moment, and while it runs the process has to stay. The sandbox has none; `sleep` is recorded in the event log and waits for days without holding anything.',
    allowed:
      "`sleep` of `'pawl'`, also raced against other work. Timers in steps and in code that only steps reach. `clearTimeout`, `queueMicrotask`. Names of your own that shadow a timer.",
    unseen:
      'Timers in packages; functions that arrive as arguments; functions that hand each other to `queueMicrotask` in turn, or themselves within another function to a name of it that another module exports, and functions within others that hand themselves in under a condition. The modules `timers` of Node belong to io-in-workflow.',
  },
  bad: {
    'src/wait.ts': `export const delay = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
`,
    'src/fulfil.ts': `import { delay } from './wait';

async function ship(order: string) {
  'use step';
  return fetch('https://parcels.example/' + order);
}

export async function fulfil(order: string) {
  'use workflow';
  await new Promise((resolve) => setTimeout(resolve, 60_000));
  await ship(order);
  await delay(1000);
}
`,
  },
  good: {
    'src/fulfil.ts': `import { sleep } from 'pawl';

async function ship(order: string) {
  'use step';
  await fetch('https://parcels.example/' + order);
}

export async function fulfil(order: string) {
  'use workflow';
  await sleep('1 minute');
  await ship(order);
  await sleep('1s');
}
`,
  },
  fixable: true,
  check({ program, report }) {
    const chains = chainsFrom(
      'timer-in-workflow',
      program,
      'workflow',
      (use, reference, at) => {
        const lack = lackEnd(use, reference);
        return lack?.kind === 'timer' ? lack : endlessMicrotask(program, use, reference, at);
      },
      { outer: true, aliases: true },
    );
    for (const chain of chains) {
      const [first, second] = chain.hops;
      report({ ...chainFinding(chain), fix: second ? undefined : durablePause(first) });
    }
  },
});

/** `function poll() { …; queueMicrotask(poll); }`: whatever it waits for cannot happen while it runs. */
function endlessMicrotask(
  program: Program,
  use: Hop['use'],
  reference: Reference,
  { module, unit }: Place,
): NamedEnd | null {
  if (use.access !== 'call' || !isMicrotasks(reference)) return null;
  if (!use.endless && !isGivenItself(program, use, { module, unit })) return null;
  return {
    name: 'queueMicrotask',
    because: 'it hands itself to `queueMicrotask` again, and as long as microtasks run nothing can arrive',
    remedy: "Wait for something durable: a step, a hook, or `sleep` of 'pawl'.",
  };
}

/** `queueMicrotask`, or a variable of a module that is another name of it. */
function isMicrotasks(reference: Reference): boolean {
  if (reference.kind === 'global') return reference.path.join() === 'queueMicrotask';
  if (reference.kind !== 'unit' || reference.rest.length > 0 || reference.unit.alias?.kind !== 'global') return false;
  return /^(?:globalThis\.)?queueMicrotask$/.test(reference.unit.alias.path.join('.'));
}

/** `queueMicrotask(this.poll)`, in `poll`. */
function isGivenItself(program: Program, use: Hop['use'], { module, unit }: Place): boolean {
  const given = unit.uses[unit.uses.indexOf(use) + 1];
  if (!given || given.access !== 'read' || given.span.start - use.span.end > 4) return false;
  const target = program.resolve(module, given);
  return target.kind === 'unit' && target.unit === unit && target.rest.length === 0;
}

/** `sleep(ms)` in place of a pause, with its import. */
function durablePause({ module, use }: Hop): Fix | undefined {
  const pause = module.pauses?.find(({ timer }) => timer.start === use.span.start);
  if (!pause) return undefined;
  const imported = sleepOf(module);
  if (pause.sleep === 'taken' || (pause.sleep === 'import' && imported?.local !== 'sleep')) return undefined;
  const edits = replaced(pause, imported?.local ?? 'sleep');
  if (imported) return { title: 'Use sleep()', edits };
  const edit = importEdit(module);
  return edit === null ? undefined : { title: 'Use sleep()', edits: [edit, ...edits] };
}

function sleepOf({ imports }: ModuleFacts): ModuleFacts['imports'][number] | undefined {
  return imports.find(
    ({ source, imported, typeOnly }) => !typeOnly && imported === 'sleep' && givesPart(source, 'durable'),
  );
}

function replaced({ span, time }: PauseFact, name: string): TextEdit[] {
  return [
    { start: span.start, end: time.start, text: `${name}(` },
    { start: time.end, end: span.end, text: ')' },
  ];
}

/** Beside a name that the module imports from the SDK already, or a line of its own. */
function importEdit({ imports, format, importsAt }: ModuleFacts): TextEdit | null {
  const own = imports.filter(({ source }) => givesPart(source, 'durable') && !source.startsWith('@keystrokehq/'));
  const beside = own.find(
    ({ form, typeOnly, imported }) => form === 'import' && !typeOnly && !/^(?:\*|default|)$/.test(imported),
  );
  if (beside) return { start: beside.span.end, end: beside.span.end, text: ', sleep' };
  const isForeign = imports.some(({ source }) => source.startsWith('@keystrokehq/keystroke'));
  if (format === 'cjs' || isForeign || importsAt === undefined) return null;
  const source = own[0]?.source ?? 'pawl';
  const after = imports.length === 0 ? '\n\n' : '\n';
  return { start: importsAt, end: importsAt, text: `import { sleep } from '${source}';${after}` };
}
