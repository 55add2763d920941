import type * as t from '@babel/types';
import type { Node } from '../analyze/ast.ts';
import type { Definition } from '../analyze/definitions.ts';
import type { Transform } from './transform.ts';

/**
 * Rewrites definitions.
 *
 * - `workflow`: an action becomes a step call by its slug, a workflow keeps its `run` and nothing else: schemas are
 *   checked outside of the sandbox, so they (and zod) need not be in the bundle. An agent keeps its tools and what else steers it: its model
 *   and its prompt are known where the model is called.
 * - `step`: all are registered; a workflow's `run` throws when called.
 * - `client`: a workflow is a reference that still knows its schemas.
 * - `schemas`: only `input`, `output` and `credentials` stay.
 *
 * Of a credential the functions that get at secrets stay in steps and apps alone.
 */
export function transformDefinitions(transform: Transform): void {
  for (const definition of transform.analysis.definitions) {
    const { fact, options } = definition;
    if (!options || fact.slug === null) continue;
    if (fact.kind === 'credential') {
      if (transform.mode === 'workflow' || transform.mode === 'schemas') dropFunctions(transform, options);
      continue;
    }
    switch (transform.mode) {
      case 'workflow':
        if (fact.kind === 'workflow') keepOptions(transform, definition, 'workflowDefinition', ['run']);
        else if (fact.kind === 'agent')
          keepOptions(transform, definition, 'agentDefinition', STEERING, '/*#__PURE__*/ ');
        else
          transform.edits.replace(
            fact.span.start,
            fact.span.end,
            `/*#__PURE__*/ ${transform.helper(fact.kind)}(${JSON.stringify(fact.slug)})`,
          );
        break;
      case 'schemas':
        if (fact.kind === 'agent') transform.edits.replace(fact.span.start, fact.span.end, 'undefined');
        else keepOptions(transform, definition, 'schema', ['input', 'output', 'credentials']);
        break;
      default: {
        const helper = fact.kind === 'workflow' ? 'workflowDefinition' : fact.kind;
        transform.edits.wrap(
          fact.span.start,
          fact.span.end,
          `${transform.helper(helper)}(${JSON.stringify(fact.slug)}, `,
          ')',
        );
        const run = options.get('run');
        if (fact.kind === 'workflow' && run) throwInstead(transform, run, fact.slug);
      }
    }
  }
}

/** Options of an agent that its loop needs, which runs as workflow code. */
const STEERING = [
  'tools',
  'activeTools',
  'maxSteps',
  'stopWhen',
  'prepareStep',
  'output',
  'experimental_context',
  'experimental_repairToolCall',
  'onStepFinish',
  'onFinish',
  'onError',
] as const;

/** `defineX({ …options })` → `__pawl_helper("slug", { …only the kept ones })`. */
function keepOptions(
  transform: Transform,
  { fact, site, options }: Definition,
  helper: string,
  kept: readonly string[],
  mark = '',
): void {
  const { edits } = transform;
  const argument = site.call.arguments[0] as Node;
  const keptNodes = kept
    .flatMap((name) => options?.get(name) ?? [])
    .sort((a, b) => (a.start as number) - (b.start as number));
  edits.replace(
    fact.span.start,
    argument.start as number,
    `${mark}${transform.helper(helper)}(${JSON.stringify(fact.slug)}, `,
  );
  let from = (argument.start as number) + transform.source.slice(argument.start as number).indexOf('{') + 1;
  edits.insert(from, ' ');
  for (const node of keptNodes) {
    edits.cut(from, node.start as number);
    edits.insert(node.end as number, ', ');
    from = node.end as number;
  }
  edits.cut(from, closingBrace(argument));
}

/** What they import is not for the sandbox. That there is a `resolve` goes into the manifest. */
function dropFunctions({ edits, mode }: Transform, options: NonNullable<Definition['options']>): void {
  for (const name of ['resolve', 'saveRefreshToken']) {
    const node = options.get(name);
    const stand = mode === 'schemas' && name === 'resolve' && !isUndefined(node) ? 'true' : 'undefined';
    if (node) edits.replace(node.start as number, node.end as number, `${name}: ${stand}`);
  }
}

function isUndefined(option: t.ObjectProperty | t.ObjectMethod | undefined): boolean {
  return option?.type === 'ObjectProperty' && option.value.type === 'Identifier' && option.value.name === 'undefined';
}

function closingBrace(argument: Node): number {
  let inner = argument;
  while (inner.type !== 'ObjectExpression') inner = (inner as t.ParenthesizedExpression).expression;
  return (inner.end as number) - 1;
}

function throwInstead(transform: Transform, run: t.ObjectProperty | t.ObjectMethod, slug: string): void {
  transform.edits.replace(
    run.start as number,
    run.end as number,
    `run: async () => { throw ${transform.helper('direct')}(${JSON.stringify(slug)}); }`,
  );
}
