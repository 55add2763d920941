import type { CallSite, InnerFunction, ModuleFacts, Unit, Use } from '../compiler/facts.ts';
import type { Span } from '../diagnostics/types.ts';
import { givesPart, isSdk } from '../sdks.ts';
import { DEFAULT_INTEGRATIONS, matchesSpecifier } from './integrations.ts';
import { isPlain, STEP_KINDS, WORKFLOW_KINDS } from './levels.ts';
import type { Hop, Place, Program, Reference } from './program.ts';

/** Which calls are durable, and the code of workflows and steps with the sites of its calls. */

export type DurableKind = 'step' | 'action' | 'workflow' | 'prompt' | 'sleep' | 'hook' | 'fetch';

export interface Durable {
  kind: DurableKind;
  /** As it is written: `stock.reserve`. */
  name: string;
}

/** A unit that runs at the level of a root, and the way there; no hops for the root itself. */
export interface Reached extends Place {
  hops: readonly Hop[];
  sites: readonly CallSite[];
}

const SDK_CALLS: Record<string, DurableKind | undefined> = {
  sleep: 'sleep',
  createHook: 'hook',
  createWebhook: 'hook',
  fetch: 'fetch',
};
const AGENT_METHODS = new Set(['#stream', '#generate', '#prompt']);

export function useOf(module: ModuleFacts, site: CallSite): Use | null {
  return site.use === undefined ? null : (module.units[site.unit]?.uses[site.use] ?? null);
}

export function referenceOf(program: Program, module: ModuleFacts, site: CallSite): Reference {
  const use = useOf(module, site);
  return use ? program.resolve(module, use) : { kind: 'unknown' };
}

/** What a site does that is recorded; null for anything else. */
export function durableOf(program: Program, module: ModuleFacts, site: CallSite): Durable | null {
  if (site.context === 'sleep' || site.context === 'hook') return { kind: site.context, name: `ctx.${site.context}` };
  const use = useOf(module, site);
  if (!use || use.access === 'new') return null;
  const kind = kindOf(program, program.resolve(module, use));
  return kind && { kind, name: nameOf(use) };
}

export function nameOf({ path }: Use): string {
  return path.map((piece) => piece.replace(/^#/, '')).join('.');
}

function kindOf(program: Program, reference: Reference): DurableKind | null {
  switch (reference.kind) {
    case 'unit': {
      const { unit, rest } = reference;
      if (unit.kind === 'step' || unit.kind === 'workflow') return rest.length === 0 ? unit.kind : null;
      return unit.kind === 'variable' && rest.join() === 'create' && isHookDefinition(program, reference)
        ? 'hook'
        : null;
    }
    case 'definition': {
      const { definition, rest } = reference;
      if (definition.kind === 'agent') return rest.join() === 'prompt' ? 'prompt' : null;
      return definition.kind !== 'credential' && rest.join() === 'run' ? definition.kind : null;
    }
    case 'package':
      return packageKind(reference.specifier, reference.path);
    default:
      return null;
  }
}

function packageKind(specifier: string, path: readonly string[]): DurableKind | null {
  const [head = '', ...rest] = path;
  if (isSdk(specifier)) {
    if (head === 'DurableAgent' && AGENT_METHODS.has(rest.join())) return 'prompt';
    if (rest.length > 0 || !givesPart(specifier, 'durable')) return null;
    return (Object.hasOwn(SDK_CALLS, head) && SDK_CALLS[head]) || null;
  }
  return path.at(-1) === 'run' && matchesSpecifier(specifier, DEFAULT_INTEGRATIONS) ? 'action' : null;
}

/** `const approval = defineHook()` */
function isHookDefinition(program: Program, { module, unit }: Place): boolean {
  return unit.uses.some((use) => {
    const reference = use.access === 'call' ? program.resolve(module, use) : null;
    return reference?.kind === 'package' && isSdk(reference.specifier) && reference.path.join() === 'defineHook';
  });
}

/** Where a site is to be pointed at. */
export function spanOf(module: ModuleFacts, site: CallSite): Span {
  return (useOf(module, site)?.span ?? site.span) as Span;
}

export function functionOf({ calls }: ModuleFacts, index: number | undefined): InnerFunction | undefined {
  return index === undefined ? undefined : calls?.functions?.[index];
}

/** Units of a module that a place stands for: variables that are assigned again have several. */
export function unitsOf({ module, unit }: Place): number[] {
  const own = module.units.indexOf(unit);
  if (own >= 0 && unit.kind !== 'method' && unit.kind !== 'variable') return [own];
  return module.units.flatMap((candidate, index) =>
    candidate === unit || (candidate.path === unit.path && candidate.kind === unit.kind) ? [index] : [],
  );
}

export function sitesOf(place: Place): CallSite[] {
  const units = unitsOf(place);
  return place.module.calls?.sites.filter(({ unit }) => units.includes(unit)) ?? [];
}

interface Code {
  workflow: readonly Reached[];
  step: readonly Reached[];
  waits: Map<Unit, boolean>;
}

/** By the list of modules, which is a new one in each check. */
const known = new WeakMap<readonly ModuleFacts[], Code>();

function codeOf(program: Program): Code {
  let code = known.get(program.modules);
  if (!code) {
    code = { workflow: reachAll(program, WORKFLOW_KINDS), step: reachAll(program, STEP_KINDS), waits: new Map() };
    known.set(program.modules, code);
  }
  return code;
}

/** Everything that runs in workflows, each unit once, the nearest way first. */
export function workflowCode(program: Program): readonly Reached[] {
  return codeOf(program).workflow;
}

/** Everything that runs in steps and actions. */
export function stepCode(program: Program): readonly Reached[] {
  return codeOf(program).step;
}

function reachAll(program: Program, kinds: readonly Unit['kind'][]): Reached[] {
  const queue: Reached[] = program.places(...kinds).map((place) => ({ ...place, hops: [], sites: sitesOf(place) }));
  const seen = new Set(queue.map(({ unit }) => unit));
  for (const { module, unit, hops } of queue) {
    for (const use of unit.uses) {
      if (use.access === 'write') continue;
      const reference = program.resolve(module, use);
      if (reference.kind !== 'unit' || !isPlain(reference) || seen.has(reference.unit) || !leadsOn(reference)) continue;
      seen.add(reference.unit);
      const place = { module: reference.module, unit: reference.unit };
      queue.push({ ...place, hops: [...hops, { module, unit, use }], sites: sitesOf(place) });
    }
  }
  return queue.filter(({ module }) => !isInstalled(module.file));
}

function leadsOn({ unit, rest }: Extract<Reference, { kind: 'unit' }>): boolean {
  return unit.kind === 'variable' || rest.length === 0 || /^(?:call|apply|bind)$/.test(rest[0] as string);
}

/** What is installed is not the user's to change. */
function isInstalled(file: string): boolean {
  return /(?:^|\/)node_modules\//.test(file);
}

/** Whether a unit calls, itself or through others, something that is recorded. */
export function reachesDurable(program: Program, place: Place): boolean {
  const { waits } = codeOf(program);
  let reaches = waits.get(place.unit);
  if (reaches === undefined) {
    reaches = program
      .reach(place, isPlain)
      .some((target) => sitesOf(target).some((site) => durableOf(program, target.module, site) !== null));
    waits.set(place.unit, reaches);
  }
  return reaches;
}

/** Whether a unit's own function is async, and it waits for something that is recorded. */
export function isDurableHelper(program: Program, place: Place): boolean {
  if (!isPlain(place) || place.unit.kind === 'variable') return false;
  const { async = [] } = place.module.calls ?? {};
  return unitsOf(place).some((unit) => async.includes(unit)) && reachesDurable(program, place);
}
