import type { DefinitionFact, FunctionFact, ModuleFacts, Unit, Use } from '../compiler/facts.ts';
import { givesPart, type SdkPart } from '../sdks.ts';
import type { Program, Reference } from './program.ts';
import { reachedCode } from './reached.ts';

/** Calls at which values leave for somewhere else: what workflows pass to steps and child runs, and what apps start and resume runs with. */
export interface BoundaryCall {
  module: ModuleFacts;
  use: Use;
  /** `step \`charge\``, for messages. */
  callee: string;
  /** The unit of the step or the workflow, or the definition, that is called; null for a function of pawl. */
  target: Unit | DefinitionFact | null;
  /** Index of the only argument that crosses; null for all. */
  only: number | null;
  /** What that argument is called on its way, where the code gives it no name. */
  root?: string;
}

type Sender = Pick<BoundaryCall, 'callee' | 'only' | 'root'>;

/** Calls of steps, actions and workflows that workflow code makes, each once. Those that steps make run in place and pass what they like. */
export function durableCalls(program: Program): BoundaryCall[] {
  const calls: BoundaryCall[] = [];
  for (const { module, inner } of reachedCode(program, 'workflow').places)
    for (const { use, reference } of inner) {
      const found = use.access === 'call' ? calledOf(reference) : null;
      if (found && !isInstalled(module.file)) calls.push({ module, use, ...found });
    }
  return calls;
}

/** What is installed is not the user's to change. */
export function isInstalled(file: string): boolean {
  return /(?:^|\/)node_modules\//.test(file);
}

type Called = Pick<BoundaryCall, 'callee' | 'target' | 'only'>;

function calledOf(reference: Reference): Called | null {
  if (reference.kind === 'unit' && reference.rest.length === 0) {
    const { kind } = reference.unit;
    const fn = kind === 'step' || kind === 'workflow' ? functionOf(reference.module, reference.unit) : undefined;
    return fn ? { callee: `${fn.kind} \`${fn.name}\``, target: reference.unit, only: null } : null;
  }
  if (reference.kind !== 'definition' || reference.rest.length !== 1) return null;
  const { definition, rest } = reference;
  return (definition.kind === 'action' || definition.kind === 'workflow') && rest[0] === 'run'
    ? { callee: `${definition.kind} \`${definitionName(definition)}\``, target: definition, only: 0 }
    : null;
}

/** Functions of the SDKs that send one of their arguments. */
const SENDERS: Record<string, Sender> = {
  start: { callee: 'the workflow', only: 1, root: 'args' },
  resumeHook: { callee: 'the hook', only: 1, root: 'payload' },
};
const HOOKS: Record<string, Sender> = {
  createHook: { callee: 'the hook', only: 0 },
  defineHook: { callee: 'the hook', only: 0 },
};

/** Calls of `start` and `resumeHook` anywhere. */
export function clientCalls(program: Program): BoundaryCall[] {
  return sdkCalls(program, 'client', SENDERS);
}

/** Calls of `createHook` and `defineHook` anywhere; their type arguments are payloads. */
export function hookCalls(program: Program): BoundaryCall[] {
  return sdkCalls(program, 'durable', HOOKS);
}

function sdkCalls(program: Program, part: SdkPart, known: Record<string, Sender>): BoundaryCall[] {
  const calls: BoundaryCall[] = [];
  for (const module of program.modules) {
    if (!module.imports.some(({ source, typeOnly }) => !typeOnly && givesPart(source, part))) continue;
    for (const use of module.units.flatMap(({ uses }) => uses)) {
      if (use.access !== 'call' || use.kind !== 'import') continue;
      const reference = program.resolve(module, use);
      if (reference.kind !== 'package' || reference.path.length !== 1) continue;
      const name = reference.path[0] as string;
      if (givesPart(reference.specifier, part) && Object.hasOwn(known, name))
        calls.push({ module, use, target: null, ...(known[name] as Sender) });
    }
  }
  return calls;
}

export function functionOf(module: ModuleFacts, unit: Unit): FunctionFact | undefined {
  return module.functions.find((fn) => module.units[fn.unit] === unit);
}

export function definitionName({ slug, local, kind }: DefinitionFact): string {
  return slug ?? local ?? kind;
}
