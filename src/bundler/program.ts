import { ProgramGraph } from '../checker/program.ts';
import type { Resolve } from '../checker/resolution.ts';
import type { DefinitionFact, FunctionFact, ModuleFacts, Unit, Use } from '../compiler/index.ts';
import { compareText } from '../diagnostics/order.ts';
import type { Span } from '../diagnostics/types.ts';
import type { ManifestContents } from '../manifest/index.ts';
import type {
  JsonSchema,
  ManifestCredential,
  ManifestSpan,
  ManifestStep,
  ManifestWorkflow,
} from '../manifest/schema.ts';
import type { CompatSdk } from '../sdk-names.ts';
import { AGENT_STEPS, makesAgents, mayHaveAgents } from './agents.ts';
import { FETCH_STEP, givesFetch, mayFetch } from './fetch-step.ts';
import { type BuildFiles, hashSource } from './files.ts';
import { findLoadEffects, type LoadEffects } from './load-effects.ts';

/** JSON Schemas by the slug of a definition. */
export type SchemasBySlug = ReadonlyMap<string, DefinitionSchemas>;

export interface DefinitionSchemas {
  input?: JsonSchema;
  output?: JsonSchema;
  credentials?: ManifestCredential[];
}

export type ProgramDescription = Pick<ManifestContents, 'workflows' | 'steps' | 'agents' | 'classes'>;

type Place = ReturnType<ProgramGraph['places']>[number];

/** Ids of what a workflow may call. */
export interface Calls {
  steps: readonly string[];
  workflows: readonly string[];
}

/** By the unit of a workflow. */
export type CallsOf = (unit: Unit) => Calls;

const NO_CALLS: Calls = { steps: [], workflows: [] };

/** Which modules take part in a build, and what each workflow calls. */
export interface BuildProgram {
  /** Modules that register something, sorted by file. */
  modules: readonly ModuleFacts[];
  /** What a workflow may call. */
  calls: CallsOf;
  /** What modules change when they are loaded, as far as workflows read it. */
  effects: LoadEffects;
  /** Whether it has agents, as far as the user's modules say. */
  agents: boolean;
  /** Whether it takes `fetch` of pawl. */
  fetches: boolean;
}

/** Joins the facts of the entries and of what workflows reach beyond them. */
export function joinProgram(
  files: BuildFiles,
  entries: readonly string[],
  resolve: Resolve,
  compat: readonly CompatSdk[] = [],
): BuildProgram {
  const graph = new ProgramGraph({ keys: () => entries, get: (file) => files.facts(file) }, resolve);
  const modules = graph.modules.filter((module) => files.compiled(module.file) !== null);
  const effects = findLoadEffects(graph, modules.filter(belongsToWorkflows), files, resolve);
  return {
    modules,
    calls: findCalls(graph, modules, compat),
    effects,
    agents: mayHaveAgents(graph.modules, compat),
    fetches: mayFetch(graph.modules.filter(belongsToWorkflows)),
  };
}

/**
 * What is called where packages take part: their modules turn up while workflows are bundled, and to the program they are outside.
 *
 * @param locate - the file of a package that a specifier leads to, absolute
 */
export function callsIntoPackages(
  files: BuildFiles,
  entries: readonly string[],
  resolve: Resolve,
  locate: (specifier: string, importer: string) => string | null,
  compat: readonly CompatSdk[] = [],
): CallsOf {
  const follow: Resolve = (specifier, importer) => {
    const resolution = resolve(specifier, importer);
    const path = resolution.kind === 'external' ? locate(specifier, importer) : null;
    return path === null ? resolution : { kind: 'file', file: files.relative(path) };
  };
  const concerned = entries.filter((file) => files.compiled(file) !== null);
  const graph = new ProgramGraph({ keys: () => concerned, get: (file) => files.facts(file) }, follow);
  const modules = graph.modules.filter((module) => files.compiled(module.file) !== null);
  return findCalls(graph, modules, compat);
}

function findCalls(graph: ProgramGraph, modules: readonly ModuleFacts[], compat: readonly CompatSdk[]): CallsOf {
  const search = { graph, ids: idsOf(modules), compat };
  const calls = new Map<Unit, Calls>();
  for (const root of graph.places('workflow', 'workflow-definition')) calls.set(root.unit, callsOf(search, root));
  return (unit) => calls.get(unit) ?? NO_CALLS;
}

/** A module of steps alone is in the workflow bundle only where a workflow imports it. */
export function belongsToWorkflows({ functions, definitions, classes }: ModuleFacts): boolean {
  return (
    functions.some(({ kind }) => kind === 'workflow') ||
    definitions.some(({ kind }) => kind === 'workflow') ||
    classes.length > 0
  );
}

interface Ids {
  /** Of steps by their unit, and of actions by their definition. */
  steps: Map<Unit | DefinitionFact, string>;
  workflows: Map<Unit | DefinitionFact, string>;
}

function idsOf(modules: readonly ModuleFacts[]): Ids {
  const ids: Ids = { steps: new Map(), workflows: new Map() };
  for (const module of modules) {
    for (const { kind, unit, id } of module.functions)
      (kind === 'step' ? ids.steps : ids.workflows).set(module.units[unit] as Unit, id);
    for (const definition of module.definitions) {
      const { kind, slug } = definition;
      if (slug === null) continue;
      if (kind === 'action') ids.steps.set(definition, slug);
      else if (kind === 'workflow') ids.workflows.set(definition, slug);
    }
  }
  return ids;
}

/** Units that run at a level of their own: a call of one is an entry in the event log, not a call into its code. */
const LEVELS: ReadonlySet<Unit['kind']> = new Set(['workflow', 'workflow-definition', 'step', 'action', 'agent']);

function isWithin({ start, end }: Span, outer: Span): boolean {
  return start > outer.start && end <= outer.end;
}

interface Search {
  graph: ProgramGraph;
  ids: Ids;
  compat: readonly CompatSdk[];
}

function callsOf({ graph, ids, compat }: Search, root: Place): Calls {
  const found = new Set<string>();
  const workflows = new Set<string>();
  const agents = new Set<DefinitionFact>();
  const members = new Set<Unit>();
  const addAgentSteps = (): void => {
    for (const id of Object.values(AGENT_STEPS)) found.add(id);
  };
  const look = (module: ModuleFacts, use: Use): void => {
    const reference = graph.resolve(module, use);
    if (reference.kind === 'package' && makesAgents(reference.specifier, reference.path[0], compat)) addAgentSteps();
    if (reference.kind === 'package' && givesFetch(reference.specifier, reference.path[0])) found.add(FETCH_STEP);
    const target =
      reference.kind === 'unit' ? reference.unit : reference.kind === 'definition' ? reference.definition : null;
    const id = target && ids.steps.get(target);
    if (id) found.add(id);
    const workflow = target && ids.workflows.get(target);
    if (workflow) workflows.add(workflow);
    if (reference.kind === 'unit' && reference.unit.kind === 'variable' && mayGiveTools(module))
      addMembers(reference.module, reference.unit);
    if (reference.kind === 'definition' && reference.definition.kind === 'agent')
      enter(reference.module, reference.definition);
  };
  /** Steps that stand in the code as values: nothing mentions them by a name. */
  const addInline = (module: ModuleFacts, within: Span): void => {
    const inside = module.functions.filter(({ kind, span }) => kind === 'step' && isWithin(span, within));
    // A step in a step runs in its place.
    for (const { span, id } of inside) if (!inside.some((other) => isWithin(span, other.span))) found.add(id);
  };
  const mayGiveTools = ({ imports, definitions }: ModuleFacts): boolean =>
    definitions.some(({ kind }) => kind === 'agent') ||
    imports.some(({ source, imported }) => makesAgents(source, imported, compat));
  /** An agent gets its tools as a whole, and calls what is in them. */
  const addMembers = (module: ModuleFacts, object: Unit): void => {
    if (members.has(object)) return;
    members.add(object);
    for (const unit of module.units) {
      if (!unit.path.startsWith(`${object.path}.`)) continue;
      const id = ids.steps.get(unit);
      if (id) found.add(id);
      else if (!LEVELS.has(unit.kind)) walk({ module, unit });
    }
  };
  const walk = (from: Place): void => {
    for (const { module, unit } of graph.reach(from, ({ unit }) => !LEVELS.has(unit.kind))) {
      for (const use of unit.uses) look(module, use);
      addInline(module, unit.span);
    }
  };
  /** The loop of an agent is workflow code: it calls the model and the tools, which may be other agents. */
  const enter = (module: ModuleFacts, agent: DefinitionFact): void => {
    if (agents.has(agent)) return;
    agents.add(agent);
    addAgentSteps();
    addInline(module, agent.span);
    for (const unit of module.units) {
      for (const use of unit.uses) {
        if (use.span.start < agent.span.start || use.span.end > agent.span.end) continue;
        look(module, use);
        const reference = graph.resolve(module, use);
        if (reference.kind === 'unit' && !LEVELS.has(reference.unit.kind)) walk(reference);
      }
    }
  };
  walk(root);
  return { steps: [...found].sort(compareText), workflows: [...workflows].sort(compareText) };
}

/** What the manifest says of steps, workflows, agents and classes. */
export function describeProgram(
  modules: readonly ModuleFacts[],
  calls: CallsOf,
  files: BuildFiles,
  schemas: SchemasBySlug,
): ProgramDescription {
  const description: ProgramDescription = { workflows: {}, steps: {}, agents: {}, classes: {} };
  for (const module of modules) {
    const text = files.get(module.file)?.text ?? '';
    for (const fn of module.functions) describeFunction(fn, module, text, calls, description);
    for (const definition of module.definitions)
      describeDefinition(definition, module, text, calls, schemas, description);
    for (const { id, name, span } of module.classes)
      description.classes[id] = { name, file: module.file, span: placeOf(span) };
  }
  return description;
}

function describeFunction(
  fn: FunctionFact,
  module: ModuleFacts,
  text: string,
  calls: CallsOf,
  description: ProgramDescription,
): void {
  const { id, name, span } = fn;
  const hash = hashSource(text.slice(fn.text.start, fn.text.end));
  const place = { name, file: module.file, span: placeOf(span), hash };
  if (fn.kind === 'workflow') {
    const called = writtenCalls(calls(module.units[fn.unit] as Unit));
    description.workflows[id] = { style: 'directive', ...place, ...called } satisfies ManifestWorkflow;
    return;
  }
  description.steps[id] = {
    style: 'directive',
    ...place,
    options: fn.options,
    captures: fn.captures.map((capture) => capture.name),
    usesThis: fn.usesThis,
    parameters: fn.parameters,
  } satisfies ManifestStep;
}

function describeDefinition(
  fact: DefinitionFact,
  module: ModuleFacts,
  text: string,
  calls: CallsOf,
  schemas: SchemasBySlug,
  description: ProgramDescription,
): void {
  const { slug, span } = fact;
  if (slug === null || fact.kind === 'credential') return;
  const name = fact.name ?? fact.local ?? slug;
  const about = fact.description === null ? {} : { description: fact.description };
  const place = { name, ...about, file: module.file, span: placeOf(span) };
  const hash = hashSource(text.slice(span.start, span.end));
  if (fact.kind === 'workflow') {
    const unit = fact.unit === null ? undefined : module.units[fact.unit];
    const called = writtenCalls(unit ? calls(unit) : NO_CALLS);
    description.workflows[slug] = { style: 'definition', ...place, hash, ...called, ...schemas.get(slug) };
    return;
  }
  if (fact.kind === 'agent') description.agents[slug] = place;
  const base = { ...place, hash, options: fact.settings ?? {}, captures: [], usesThis: false };
  description.steps[slug] = { style: fact.kind, ...base, ...schemas.get(slug) };
}

function writtenCalls({ steps, workflows }: Calls): { steps: string[]; workflows?: string[] } {
  return { steps: [...steps], ...(workflows.length > 0 && { workflows: [...workflows] }) };
}

function placeOf({ line, column, endLine, endColumn }: Span): ManifestSpan {
  return { line, column, endLine, endColumn };
}
