import type { CallFacts, CallSite, InnerFunction, ModuleFacts, Role } from '../compiler/facts.ts';
import type { DiagnosticInput } from '../diagnostics/create.ts';
import { chainPlaces, chainText, placeName } from './chain.ts';
import { defineRule } from './define-rule.ts';
import {
  calledName,
  calledOf,
  type Durable,
  durableOf,
  functionOf,
  isDurableHelper,
  type Reached,
  spanOf,
  useOf,
  workflowCode,
} from './durable.ts';
import { perList } from './per-list.ts';
import { factsOf } from './place-facts.ts';
import type { Program } from './program.ts';

/**
 * Looks at every durable call in workflow code and in helpers that it reaches, and at what becomes of the promise. Calls of helpers and
 * nested functions that wait for durable calls count too. `agent.prompt()` is rule unawaited-prompt's.
 */
export const floatingStep = defineRule({
  name: 'floating-step',
  by: 'program',
  description: 'A durable call that nobody waits for',
  explanation: {
    mistake:
      'A step, `sleep`, hook, child workflow or action is called in workflow code, or a helper that waits for one, and nothing awaits, returns, stores or combines the promise. Also `forEach` with an async callback, and a condition that tests the promise itself.',
    why: 'The workflow goes on at once and may end first: the step then runs or not, its result is lost, and no `catch` hears of its error.',
    allowed:
      '`await`, `return`, `Promise.all` and its siblings; a promise in a variable that something reads; `.then(handler)` and `.catch(handler)`; `void charge(order)`, which says that nobody shall wait.',
    unseen:
      'Promises that are given to a function, kept in an object or returned to a caller who drops them; variables that something reads before the promise is put there, and never after; helpers that arrive as arguments; steps in variables to which something else is assigned later; what `bind` gave, kept outside of the function.',
  },
  bad: `async function notify(order: string) {
  'use step';
  await fetch('https://mail.example/' + order, { method: 'PUT' });
}

export async function fulfil(order: string) {
  'use workflow';
  notify(order);
  return order;
}
`,
  good: `async function notify(order: string) {
  'use step';
  await fetch('https://mail.example/' + order, { method: 'PUT' });
}

export async function fulfil(order: string) {
  'use workflow';
  await notify(order);
  return order;
}
`,
  fixable: true,
  check({ program, report }) {
    for (const place of workflowCode(program)) {
      const told = new Set<InnerFunction | number>();
      for (const site of factsOf(place, sitesToJudge(place.module.calls))) {
        const finding = findingOf(program, place, site, told);
        if (finding) report({ ...finding, ...wayTo(place, targetName(program, place, site)) });
      }
    }
  },
});

/** How the code of a helper is reached, for findings in it. */
export function wayTo({ module, unit, hops }: Reached, end: string): Pick<DiagnosticInput, 'chain' | 'related'> {
  const [first, ...rest] = hops;
  if (!first) return {};
  const names = [first, ...rest];
  return {
    chain: chainText(names, `${placeName({ module, unit })} → ${end}`),
    related: chainPlaces(names, placeName({ module, unit })),
  };
}

function targetName(program: Program, { module }: Reached, site: CallSite): string {
  const use = useOf(module, site);
  return durableOf(program, module, site)?.name ?? (use ? calledName(site, use) : 'a nested function');
}

const WORDS: Record<Durable['kind'], string> = {
  step: 'The step',
  action: 'The action',
  workflow: 'The workflow',
  prompt: 'The prompt',
  sleep: 'The pause',
  hook: 'The hook',
  fetch: 'The request',
};

const LOST = 'the workflow goes on without it and may end before it is done';

/** Most calls cannot be lost, as is seen without asking what they call. */
function sitesToJudge(calls: CallFacts | undefined): readonly CallSite[] | undefined {
  return calls && mayBeLostIn(calls);
}

const mayBeLostIn = perList((calls: CallFacts) => calls.sites.filter((site) => mayBeLost(calls, site)));

function mayBeLost({ functions }: CallFacts, { result, to, fn }: CallSite): boolean {
  switch (result) {
    case 'dropped':
    case 'unused':
    case 'tested':
      return true;
    case 'passed':
      return to !== undefined && ignores(to);
    case 'awaited':
    case 'returned':
    case 'combined':
      return fn !== undefined && functions?.[fn]?.role !== undefined;
    default:
      return false;
  }
}

function findingOf(
  program: Program,
  place: Reached,
  site: CallSite,
  told: Set<InnerFunction | number>,
): DiagnosticInput | null {
  const { module } = place;
  const durable = durableOf(program, module, site);
  if (durable?.kind === 'prompt') return null;
  const what = durable ? `${WORDS[durable.kind]} \`${durable.name}\`` : helperName(program, place, site);
  if (what === null) return null;
  const at = { file: module.file, span: spanOf(module, site) };
  const isHook = durable?.kind === 'hook';
  const fix = site.awaitAt !== undefined && !isHook ? awaitFix(site.awaitAt) : undefined;
  const remedy = isHook ? 'Keep the hook in a variable and wait for it.' : waitFor(site);
  if (site.together && !isHook) return notAwaited(module, what, site.together, told);
  switch (site.result) {
    case 'dropped':
      return { ...at, message: `${what} is called and nobody waits for it: ${LOST}.`, remedy, fix };
    case 'unused':
      return {
        ...at,
        message: `${what} is called, and nothing ever reads the variable that holds its promise: ${LOST}.`,
        remedy,
        fix,
      };
    case 'tested':
      if (isHook) return null;
      return {
        ...at,
        message: `The condition tests the promise of ${lower(what)}, which is always true, and not what it gives.`,
        remedy,
        fix,
      };
    case 'void':
    case 'chained':
    case 'stored':
    case 'argument':
    case 'other':
      return null;
    case 'passed':
      if (site.to?.together && ignores(site.to)) return notAwaited(module, what, site.to.together, told);
      return site.to && ignores(site.to) ? { ...at, ...ignored(what, site.to) } : null;
    case 'awaited':
    case 'returned':
    case 'combined':
      return inCallback(place, site, what, told);
  }
}

/** `Promise.all(ids.map((id) => charge(id)));` */
function notAwaited(
  module: ModuleFacts,
  what: string,
  { name, span, awaitAt }: NonNullable<Role['together']>,
  told: Set<InnerFunction | number>,
): DiagnosticInput | null {
  if (told.has(span.start)) return null;
  told.add(span.start);
  return {
    file: module.file,
    span,
    message: `${what} is given to \`${name}\`, and nobody waits for that: ${LOST}.`,
    remedy: waitFor({ awaitAt }),
    fix: awaitAt === undefined ? undefined : awaitFix(awaitAt),
  };
}

function waitFor({ awaitAt }: Pick<CallSite, 'awaitAt'>): string {
  return awaitAt === undefined
    ? 'Return the promise, or make the function async and await it; `void` says that nobody shall wait.'
    : 'Put `await` before it; `void` says that nobody shall wait.';
}

function awaitFix(at: number): DiagnosticInput['fix'] {
  return { title: "Add 'await'", edits: [{ start: at, end: at, text: 'await ' }] };
}

function lower(text: string): string {
  return text.replace(/^The/, 'the');
}

/** A helper, or a nested function, that waits for durable calls. */
function helperName(program: Program, { module, sites }: Reached, site: CallSite): string | null {
  if (site.inner !== undefined) {
    const fn = functionOf(module, site.inner);
    const waits = sites.some(
      (candidate) =>
        isIn(candidate, fn) &&
        /^(?:awaited|combined|returned)$/.test(candidate.result) &&
        durableOf(program, module, candidate) !== null,
    );
    if (!fn || !waits || (!fn.async && site.result !== 'returned')) return null;
    return 'This function, which waits for durable calls,';
  }
  const use = useOf(module, site);
  const reference = calledOf(program, module, site);
  if (!use || reference.kind !== 'unit' || reference.rest.length > 0 || !isDurableHelper(program, reference))
    return null;
  return `\`${calledName(site, use)}\`, which waits for durable calls,`;

  function isIn(candidate: CallSite, fn: InnerFunction | undefined): boolean {
    const start = spanOf(module, candidate).start;
    return fn !== undefined && fn.start <= start && start < fn.end;
  }
}

/** Methods that give nothing, or a list of promises, whatever their callback returns. */
const IGNORING = new Set(['forEach']);
const LISTING = new Set(['map', 'flatMap']);

function ignores({ method, result }: Role): boolean {
  if (result !== 'dropped' && result !== 'unused') return false;
  return (IGNORING.has(method) && result === 'dropped') || LISTING.has(method);
}

function ignored(what: string, { method }: Role): Pick<DiagnosticInput, 'message' | 'remedy'> {
  return {
    message: `${what} is called in \`${method}\`, which waits for none of its callbacks: ${LOST}.`,
    remedy: 'Write `for (const … of …)` with `await`, or `await Promise.all(….map(…))`.',
  };
}

/** Somebody waits in a callback, and nobody for the callback. */
function inCallback(
  { module }: Reached,
  site: CallSite,
  what: string,
  told: Set<InnerFunction | number>,
): DiagnosticInput | null {
  let fn = functionOf(module, site.fn);
  let { result } = site;
  while (fn?.role && (fn.async || result === 'returned')) {
    const { role } = fn;
    if (told.has(fn)) return null;
    if (ignores(role)) {
      told.add(fn);
      if (role.together) return notAwaited(module, what, role.together, told);
      return { file: module.file, span: spanOf(module, site), ...ignored(what, role) };
    }
    if (role.method === '' && role.result === 'dropped') {
      told.add(fn);
      return {
        file: module.file,
        span: spanOf(module, site),
        message: `${what} is waited for in a function that is called in place, and nobody waits for that function: ${LOST}.`,
        remedy: 'Put `await` before the function; `void` says that nobody shall wait.',
      };
    }
    if (!/^(?:awaited|combined|returned)$/.test(role.result)) return null;
    result = role.result;
    fn = functionOf(module, fn.fn);
  }
  return null;
}
