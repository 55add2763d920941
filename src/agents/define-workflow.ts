import { PawlError } from '../errors.ts';
import { refuseWorkflowInAction } from '../leaf.ts';
import type { Duration } from '../runtime/duration.ts';
import type { Hook, HookOptions } from '../runtime/hook-api.ts';
import type { WorkflowMetadata } from '../runtime/step-context.ts';
import { define, requireOptions } from './define.ts';
import { type InputOf, type OutputOf, parseWith, type Schema } from './schema.ts';

/** What a defined workflow's `run` gets besides its input. */
export interface WorkflowContext {
  /** As `sleep` of `pawl`. */
  sleep(duration: Duration | Date): Promise<void>;
  /** As `createHook` of `pawl`. */
  hook<S extends Schema>(options: HookOptions<S> & { schema: S }): Hook<OutputOf<S>>;
  hook<T = unknown>(options?: HookOptions<undefined>): Hook<T>;
  run: WorkflowMetadata;
}

export interface WorkflowOptions<I extends Schema, O extends Schema> {
  slug: string;
  /** Parsed before the run is created. */
  input: I;
  /** Parsed when the run completes. */
  output: O;
  run(input: OutputOf<I>, context: WorkflowContext): Promise<InputOf<O>>;
  name?: string;
  description?: string;
}

export interface Workflow<I = unknown, O = unknown> {
  readonly slug: string;
  readonly name?: string;
  readonly description?: string;
  readonly input: Schema;
  readonly output: Schema;
  /** In another workflow: runs as a part of that one. Elsewhere use `start(workflow, [input])`. */
  run(input: I): Promise<O>;
}

/**
 * Defines a workflow with a name and schemas.
 *
 * @example
 * export default defineWorkflow({
 *   slug: 'triage-all',
 *   input: z.object({ titles: z.array(z.string()) }),
 *   output: z.array(z.object({ severity: z.string() })),
 *   run: async ({ titles }) => Promise.all(titles.map((title) => triage.run({ title }))),
 * });
 */
export function defineWorkflow<I extends Schema, O extends Schema>(
  options: WorkflowOptions<I, O>,
): Workflow<InputOf<I>, OutputOf<O>> {
  requireOptions('workflow', options, ['slug', 'input', 'output', 'run']);
  const { slug, name, description, input, output } = options;
  const owner = `workflow ${slug}`;
  const workflow: Workflow<InputOf<I>, OutputOf<O>> = {
    slug,
    name,
    description,
    input,
    output,
    run: async () => {
      refuseWorkflowInAction(slug);
      throw new PawlError(
        'PAWL_WORKFLOW_CALLED',
        `The workflow ${slug} was called like a function outside of a workflow.`,
        {
          remedy: 'Start it: `start(workflow, [input])` of pawl/client.',
        },
      );
    },
  };
  Object.defineProperty(workflow, 'workflowId', { value: slug, writable: true, configurable: true });
  return define(workflow, {
    kind: 'workflow',
    parseInput: (value) => parseWith(input, value, owner, 'input'),
    parseOutput: (value) => parseWith(output, value, owner, 'output'),
  });
}
