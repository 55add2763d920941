import type { ModuleFacts } from '../compiler/index.ts';
import type { ManifestStep } from '../manifest/schema.ts';
import { givesPart } from '../sdks.ts';
import { hashSource } from './files.ts';

/** `fetch` of pawl, called in a workflow: a step that is not of the user's. Programs that take it have it in all three parts of a build. */
export const FETCH_STEP = 'pawl#fetch';

/** What the manifest says of it. */
export function fetchStep(): ManifestStep {
  return {
    style: 'directive',
    name: 'fetch',
    description: 'A request of a workflow',
    file: 'pawl',
    span: { line: 1, column: 1, endLine: 1, endColumn: 1 },
    hash: hashSource(FETCH_STEP),
    options: {},
    captures: [],
    usesThis: false,
    parameters: 2,
  };
}

/** Whether an export of a package is it. */
export function givesFetch(specifier: string, name: string | undefined): boolean {
  return name === 'fetch' && givesPart(specifier, 'durable');
}

/** Whether a program seems to take it. */
export function mayFetch(modules: readonly ModuleFacts[]): boolean {
  return modules.some(({ imports }) =>
    imports.some(({ source, imported, typeOnly }) => !typeOnly && givesFetch(source, imported)),
  );
}

/** Whether the step bundle has it. */
export function registersFetch(steps: string): boolean {
  return steps.includes(`__pawl_step(${JSON.stringify(FETCH_STEP)}`);
}

/** Whether the bundle of workflows calls it; packages may have brought that. */
export function callsFetch(workflows: string): boolean {
  return workflows.includes(`__pawl_call(${JSON.stringify(FETCH_STEP)}`);
}
