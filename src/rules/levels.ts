import type { Unit } from '../compiler/facts.ts';
import type { Place } from './program.ts';

/** Which code runs where: workflows are replayed, steps run once; plain code runs where it is called from. */

export const WORKFLOW_KINDS = ['workflow', 'workflow-definition'] as const satisfies Unit['kind'][];
export const STEP_KINDS = ['step', 'action'] as const satisfies Unit['kind'][];

/** Whether a unit runs at the level of whoever calls it. Steps, workflows and definitions start a level of their own. */
export function isPlain({ unit }: { unit: Unit; module?: unknown }): boolean {
  return unit.kind === 'function' || unit.kind === 'method' || unit.kind === 'variable';
}

/** `workflow` or `step`, the word for messages. */
export function levelName({ unit }: Place): string {
  switch (unit.kind) {
    case 'workflow':
    case 'workflow-definition':
      return 'Workflow';
    case 'action':
      return 'Action';
    case 'agent':
      return 'Agent';
    case 'step':
      return 'Step';
    case 'module':
    case 'function':
    case 'method':
    case 'variable':
      return 'Code';
  }
}
