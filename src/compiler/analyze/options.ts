import { parse as parseDuration } from '@lukeed/ms';
import type * as t from '@babel/types';
import type { StepOptions } from '../facts.ts';
import { keyName, type Node, staticPath, unwrap } from './ast.ts';
import { stepBindings } from './captures.ts';
import type { DirectiveFunction, Model, OptionSite, Scope } from './model.ts';
import { report } from './report.ts';

/**
 * Options that are set on a step: `charge.maxRetries = 5`, `Order.prototype.save.timeout = '30s'`, `charge.stepId = 'charge'`.
 * They are facts of the build, so their values have to be known then. At the top level a computed value is read from the
 * function at run time instead; a nested step does not exist then, so a computed value there is an error (1008).
 */
const OPTIONS: Record<string, (value: unknown) => string | null> = {
  maxRetries: (value) => (isCount(value, 0) ? null : 'a whole number from 0'),
  timeout: (value) => (isDuration(value) ? null : "milliseconds or a duration such as '30s'"),
  heartbeatTimeout: (value) => (isDuration(value) ? null : "milliseconds or a duration such as '30s'"),
  retryAfter: (value) => (isDuration(value) ? null : "milliseconds or a duration such as '30s'"),
  concurrency: (value) => (isCount(value, 1) ? null : 'a whole number from 1'),
  stepId: (value) => (typeof value === 'string' && value !== '' ? null : 'a text'),
  workflowId: (value) => (typeof value === 'string' && value !== '' ? null : 'a text'),
};

export function readOptions(model: Model, functions: DirectiveFunction[]): void {
  if (model.options.length === 0 || functions.length === 0) return;
  const bindings = stepBindings(functions);
  const byPath = new Map(functions.map((fn) => [fn.fact.path, fn]));
  for (const site of model.options) {
    const option = site.path[site.path.length - 1] as string;
    const problemOf = Object.hasOwn(OPTIONS, option) ? OPTIONS[option] : undefined;
    if (!problemOf) continue;
    const fn = ownerOf(site, bindings, byPath);
    if (!fn) continue;
    const start = site.value.start as number;
    const end = site.value.end as number;
    const value = evaluate(site.value, site.scope, 0);
    if (value === undefined) {
      const pinned = option === 'stepId' || option === 'workflowId';
      if (fn.fact.placement !== 'hoisted' && !pinned) continue;
      report(
        model,
        'step-option-not-static',
        start,
        end,
        `'${option}' of '${fn.fact.name}' has to be known at build time: ${pinned ? 'the id is part of the manifest' : 'a nested step is made before its surroundings run'}.`,
        {
          remedy: 'Write a literal, or a constant of this module.',
        },
      );
      continue;
    }
    const problem = problemOf(value);
    if (problem) {
      report(
        model,
        'step-option-not-static',
        start,
        end,
        `'${option}' takes ${problem}, not ${JSON.stringify(value) ?? String(value)}.`,
      );
      continue;
    }
    if (option === 'stepId' || option === 'workflowId') fn.fact.id = value as string;
    else
      Object.assign(fn.fact.options, {
        [option]: value === Infinity ? Number.MAX_SAFE_INTEGER : value,
      } satisfies StepOptions);
  }
}

/**
 * Options of an action that say how it is executed: `defineAction({ …, timeout: '30s' })`. What is no constant is read from the action at run
 * time.
 */
export function readSettings(
  model: Model,
  properties: ReadonlyMap<string, t.ObjectProperty | t.ObjectMethod>,
): StepOptions {
  const settings: StepOptions = {};
  for (const [option, problemOf] of Object.entries(OPTIONS)) {
    const property = properties.get(option);
    if (property?.type !== 'ObjectProperty' || option === 'stepId' || option === 'workflowId') continue;
    const value = evaluate(property.value, model.module, 0);
    const problem = value === undefined ? null : problemOf(value);
    if (problem) {
      const { start, end } = property.value;
      const message = `'${option}' takes ${problem}, not ${JSON.stringify(value) ?? String(value)}.`;
      report(model, 'step-option-not-static', start as number, end as number, message);
    } else if (value !== undefined)
      Object.assign(settings, { [option]: value === Infinity ? Number.MAX_SAFE_INTEGER : value } satisfies StepOptions);
  }
  return settings;
}

function ownerOf(
  site: OptionSite,
  bindings: ReturnType<typeof stepBindings>,
  byPath: Map<string, DirectiveFunction>,
): DirectiveFunction | null {
  const target = site.path.slice(0, -1);
  const binding = site.scope.find(target[0] as string);
  if (target.length === 1) return (binding && bindings.get(binding)) ?? null;
  if (binding && !binding.scope.isStatic) return null;
  const path = target
    .join('.')
    .replace('.prototype.', '#')
    .replace(/^(?:module\.)?exports\./, '');
  return byPath.get(path) ?? null;
}

/** The value of a constant expression, or undefined when it is not constant. */
export function evaluate(node: Node, scope: Scope, depth: number): unknown {
  const inner = unwrap(node);
  if (depth > 8) return undefined;
  switch (inner.type) {
    case 'NumericLiteral':
    case 'StringLiteral':
    case 'BooleanLiteral':
      return inner.value;
    case 'TemplateLiteral':
      return inner.expressions.length === 0 ? inner.quasis[0]?.value.cooked : undefined;
    case 'UnaryExpression': {
      const value = evaluate(inner.argument, scope, depth + 1);
      if (typeof value !== 'number') return undefined;
      return inner.operator === '-' ? -value : inner.operator === '+' ? value : undefined;
    }
    case 'BinaryExpression': {
      const left = evaluate(inner.left as Node, scope, depth + 1);
      const right = evaluate(inner.right, scope, depth + 1);
      if (typeof left === 'string' && typeof right === 'string' && inner.operator === '+') return left + right;
      if (typeof left !== 'number' || typeof right !== 'number') return undefined;
      if (inner.operator === '+') return left + right;
      if (inner.operator === '-') return left - right;
      if (inner.operator === '*') return left * right;
      if (inner.operator === '/') return left / right;
      return undefined;
    }
    case 'Identifier': {
      const binding = scope.find(inner.name);
      if (!binding) return inner.name === 'Infinity' ? Infinity : undefined;
      const { declaration } = binding;
      if (
        binding.kind !== 'const' ||
        declaration.type !== 'VariableDeclarator' ||
        declaration.id.type !== 'Identifier' ||
        !declaration.init
      )
        return undefined;
      return evaluate(declaration.init, binding.scope, depth + 1);
    }
    case 'MemberExpression': {
      const value = constantMember(inner, scope);
      return value && evaluate(value, scope, depth + 1);
    }
    default:
      return undefined;
  }
}

/** `LIMITS.retries` of a `const LIMITS = { retries: 3 }` that nobody writes to. */
function constantMember(node: Node, scope: Scope): Node | undefined {
  const [root, ...members] = staticPath(node) ?? [];
  const binding = root === undefined ? null : scope.find(root);
  if (!binding || binding.kind !== 'const' || binding.refs.some((ref) => ref.access === 'write')) return undefined;
  const { declaration } = binding;
  if (declaration.type !== 'VariableDeclarator' || declaration.id.type !== 'Identifier' || !declaration.init)
    return undefined;
  let value = unwrap(declaration.init);
  for (const member of members) {
    if (value.type !== 'ObjectExpression' || value.properties.some(({ type }) => type === 'SpreadElement'))
      return undefined;
    const property = value.properties.findLast(
      (candidate) => candidate.type === 'ObjectProperty' && keyName(candidate.key, candidate.computed) === member,
    );
    if (property?.type !== 'ObjectProperty') return undefined;
    value = unwrap(property.value);
  }
  return value;
}

function isCount(value: unknown, least: number): boolean {
  return value === Infinity || (Number.isInteger(value) && (value as number) >= least);
}

function isDuration(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0;
  return typeof value === 'string' && parseDuration(value) !== undefined;
}
