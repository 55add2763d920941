import type { CallSite, InnerFunction, ModuleFacts, Unit, Use } from '../compiler/facts.ts';
import type { Span } from '../diagnostics/types.ts';
import { givesPart, isSdk } from '../sdks.ts';
import { DEFAULT_INTEGRATIONS, matchesSpecifier } from './integrations.ts';
import { isPlain } from './levels.ts';
import { isListed } from './place-facts.ts';
import type { Place, Program, Reference } from './program.ts';
import type { ReachedPlace } from './reached.ts';

/** Which calls are durable, and the code of workflows and steps with the sites of its calls. */

export type DurableKind = 'step' | 'action' | 'workflow' | 'prompt' | 'sleep' | 'hook' | 'fetch';

export interface Durable {
  kind: DurableKind;
  /** As it is written: `stock.reserve`. */
  name: string;
}

/** A unit that runs at the level of a root. */
export type Reached = ReachedPlace;

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
  const kind = kindOf(program, behindAlias(program, calledOf(program, module, site)));
  return kind && { kind, name: calledName(site, use) };
}

/** What runs in the end: `charge` in `charge.call(null, order)` and in `charge.bind(null)(order)`. */
export function calledOf(program: Program, module: ModuleFacts, site: CallSite): Reference {
  const reference = referenceOf(program, module, site);
  const via = indirectionOf(site, useOf(module, site));
  if (via === null) return reference;
  if ((reference.kind === 'unit' || reference.kind === 'definition') && reference.rest.at(-1) === via)
    return { ...reference, rest: reference.rest.slice(0, -1) };
  if (reference.kind === 'package' && reference.path.at(-1) === via)
    return { ...reference, path: reference.path.slice(0, -1) };
  return reference;
}

/** The method of functions by which a site calls one. */
function indirectionOf({ bound }: CallSite, use: Use | null): string | null {
  const last = use && use.path.length > 1 ? use.path.at(-1) : undefined;
  if (bound) return 'bind';
  return last === 'call' || last === 'apply' ? last : null;
}

/** `const again = charge` and `const { charge: again } = table` are what they name. */
function behindAlias(program: Program, reference: Reference): Reference {
  let found = reference;
  for (let hops = 0; hops < 5 && found.kind === 'unit' && found.rest.length === 0; hops++) {
    const use = aliasedBy(found.unit);
    if (!use) break;
    found = program.resolve(found.module, use);
  }
  return found;
}

/** The use that is all there is to a variable. */
function aliasedBy({ kind, uses, span, nameSpan }: Unit): Use | null {
  const [use, ...more] = uses;
  if (kind !== 'variable' || !use || more.length > 0 || use.access !== 'read' || use.deferred) return null;
  const isTaken = use.path.length > 1 && use.span.start > span.end;
  // Between them stands nothing but ` = ` or `: `; a shorthand property is its own name.
  const isWhole = use.span.end === span.end && use.span.start - nameSpan.end <= ' = '.length;
  return isTaken || isWhole ? use : null;
}

/** Without the method of functions by which it is called. */
export function calledName(site: CallSite, use: Use): string {
  return nameOf(indirectionOf(site, use) === null ? use : { ...use, path: use.path.slice(0, -1) });
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
  return (site.span ?? useOf(module, site)?.span) as Span;
}

export function functionOf({ calls }: ModuleFacts, index: number | undefined): InnerFunction | undefined {
  return index === undefined ? undefined : calls?.functions?.[index];
}

/** Everything that runs in workflows, each unit once, the nearest way first. */
export function workflowCode(program: Program): readonly Reached[] {
  return program.reached('workflow').own;
}

/** Everything that runs in steps and actions. */
export function stepCode(program: Program): readonly Reached[] {
  return program.reached('step').own;
}

/** Units that call, themselves or through others, something that is recorded: from those that do backwards, each once. */
function durableUnits(program: Program, places: readonly Reached[]): Set<Unit> {
  const callers = new Map<Unit, Unit[]>();
  const found = new Set<Unit>();
  for (const place of places) {
    const { module, unit, sites } = place;
    if (sites.some((site) => durableOf(program, module, site) !== null)) found.add(unit);
    for (const { target } of program.usesOf(place).plain) {
      const list = callers.get(target.unit);
      if (list) list.push(unit);
      else callers.set(target.unit, [unit]);
    }
  }
  for (const unit of found) for (const caller of callers.get(unit) ?? []) found.add(caller);
  return found;
}

/** Units that wait for something that is recorded, by the list of modules, which is a new one in each check. */
const waits = new WeakMap<readonly ModuleFacts[], ReadonlySet<Unit>>();

/** Whether a unit that workflows or steps reach is async itself, and waits for something that is recorded. */
export function isDurableHelper(program: Program, place: Place): boolean {
  if (!isPlain(place) || place.unit.kind === 'variable') return false;
  if (!isListed(place, place.module.calls?.async)) return false;
  let units = waits.get(program.modules);
  if (!units) {
    units = durableUnits(program, [...program.reached('workflow').places, ...program.reached('step').places]);
    waits.set(program.modules, units);
  }
  return units.has(place.unit);
}
