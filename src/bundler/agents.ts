import type { ModuleFacts } from '../compiler/index.ts';
import type { ManifestStep } from '../manifest/schema.ts';
import { COMPAT_EXTRAS, type CompatSdk, compatEntry } from '../sdk-names.ts';
import { hashSource } from './files.ts';

/**
 * The steps of the agent loop. They belong to pawl and not to a module of the user; a program with agents has them all the same: in the
 * manifest, in the step bundle, and called by the workflow bundle.
 */
export const AGENT_STEPS = { callModel: 'pawl/agent#callModel', write: 'pawl/agent#write' } as const;

/** A model call says itself when no further attempt shall be made, by the `maxRetries` of its agent. */
const CALL_RETRIES = 100;

/** What the manifest says of them. */
export function agentSteps(): Record<string, ManifestStep> {
  return {
    [AGENT_STEPS.callModel]: describe('callModel', 'A call of a model by an agent', { maxRetries: CALL_RETRIES }),
    [AGENT_STEPS.write]: describe('write', 'What an agent tells its stream', {}),
  };
}

function describe(name: string, description: string, options: ManifestStep['options']): ManifestStep {
  return {
    style: 'directive',
    name,
    description,
    file: 'pawl/agent',
    span: { line: 1, column: 1, endLine: 1, endColumn: 1 },
    hash: hashSource(`pawl/agent#${name}`),
    options,
    captures: [],
    usesThis: false,
    parameters: 1,
  };
}

/** Whether a program seems to have agents: it defines one, or imports what makes them. */
export function mayHaveAgents(modules: readonly ModuleFacts[], compat: readonly CompatSdk[]): boolean {
  return modules.some(
    ({ definitions, imports }) =>
      definitions.some(({ kind }) => kind === 'agent') ||
      imports.some(({ source, typeOnly, imported }) => !typeOnly && makesAgents(source, imported, compat)),
  );
}

/** Whether an export of a package makes agents: all of `pawl/agent`, and what prompts a model for Keystroke. */
export function makesAgents(specifier: string, name: string | undefined, compat: readonly CompatSdk[]): boolean {
  if (specifier === 'pawl/agent') return true;
  const entry = compatEntry(specifier, compat);
  const extras = entry === null ? undefined : COMPAT_EXTRAS[entry];
  if (!extras) return false;
  return extras.all === 'pawl/agent' || (name !== undefined && extras.names.includes(name));
}

/** Whether the step bundle has the steps of agents. */
export function registersAgents(steps: string): boolean {
  return steps.includes(`__pawl_step(${JSON.stringify(AGENT_STEPS.callModel)}`);
}

/** Whether the bundle of workflows calls the steps of agents; packages may have brought that. */
export function callsAgents(workflows: string): boolean {
  return workflows.includes(`__pawl_call(${JSON.stringify(AGENT_STEPS.callModel)}`);
}
