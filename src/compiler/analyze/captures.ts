import type { CaptureFact } from '../facts.ts';
import { isFunction, isTransparent, type Node, unwrap } from './ast.ts';
import { checkInstance } from './instances.ts';
import type { Binding, DirectiveFunction, Model, Scope } from './model.ts';
import { report } from './report.ts';

/**
 * What a nested step takes along: the variables of the code around it, as they are when it is called. It works on copies, so it
 * may not write to them (2003), and they have to serialize (2002).
 */
export function addCaptures(model: Model, functions: DirectiveFunction[]): void {
  const moved = new Map<Node, DirectiveFunction>();
  for (const fn of functions) if (fn.fact.placement === 'hoisted') moved.set(fn.site.node as Node, fn);
  if (moved.size === 0) return;
  const steps = stepBindings(functions);
  for (const ref of model.refs) {
    const { binding } = ref;
    if (!binding || binding.scope.isStatic || ref.exported) continue;
    for (let scope: Scope | null = ref.scope; scope && scope !== binding.scope; scope = scope.parent) {
      if (scope.kind !== 'function') continue;
      const fn = moved.get(scope.node);
      if (!fn || isSelf(fn, binding)) continue;
      capture(model, fn, binding, ref.node, steps.has(binding));
      if (ref.rebinds) reportClosureWrite(model, fn, binding, ref.node);
    }
  }
  for (const fn of moved.values()) {
    const at = fn.site.info.arrow ? fn.site.info.thisAt : null;
    if (!at) continue;
    fn.lexicalThis = true;
    const span = model.positions.span(at.start as number, at.end as number);
    fn.fact.captures.push({ name: 'this', span, declared: 'this', declarationSpan: span });
  }
}

/** Bindings that hold a step: function declarations, and `const` with a step as value. */
export function stepBindings(functions: readonly DirectiveFunction[]): Map<Binding, DirectiveFunction> {
  const found = new Map<Binding, DirectiveFunction>();
  for (const fn of functions) {
    const { node, outer, ancestors } = fn.site;
    const parent = ancestors.findLast((around) => !isTransparent(around));
    let name: string | null = null;
    if (node.type === 'FunctionDeclaration') name = node.id?.name ?? null;
    else if (parent?.type === 'VariableDeclarator' && parent.id.type === 'Identifier') name = parent.id.name;
    const binding = name === null ? null : outer.find(name);
    if (binding) found.set(binding, fn);
  }
  return found;
}

function isSelf(fn: DirectiveFunction, binding: Binding): boolean {
  const { declaration } = binding;
  if (declaration === (fn.site.node as Node)) return true;
  if (
    declaration.type === 'VariableDeclarator' &&
    declaration.init &&
    unwrap(declaration.init) === (fn.site.node as Node)
  ) {
    fn.selfName = binding.name;
    return true;
  }
  return false;
}

function capture(model: Model, fn: DirectiveFunction, binding: Binding, node: Node, isStep: boolean): void {
  if (fn.fact.captures.some((known) => known.name === binding.name)) return;
  if (!isStep && isMadeOf(binding, fn)) {
    report(
      model,
      'closure-unserializable',
      node.start as number,
      node.end as number,
      `The step '${fn.fact.name}' takes '${binding.name}' along, which is made of the step itself.`,
      { remedy: 'Call the step by a name of its own: async function name(…) { … }' },
    );
    return;
  }
  const declared: CaptureFact['declared'] = isStep ? 'step' : isHelperFunction(binding) ? 'function' : kindOf(binding);
  fn.fact.captures.push({
    name: binding.name,
    span: model.positions.span(node.start as number, node.end as number),
    declared,
    declarationSpan: model.positions.span(binding.node.start as number, binding.node.end as number),
  });
  checkInstance(model, fn.fact.name, binding, node);
}

/** `const charge = retry(async () => … charge() …)`: what is made of the step cannot go with it. */
function isMadeOf({ declaration }: Binding, fn: DirectiveFunction): boolean {
  if (declaration.type !== 'VariableDeclarator' || !declaration.init) return false;
  const { start, end } = fn.fact.text;
  return (declaration.init.start as number) <= start && end <= (declaration.init.end as number);
}

function kindOf(binding: Binding): CaptureFact['declared'] {
  switch (binding.kind) {
    case 'import':
    case 'enum':
    case 'namespace':
      return 'other';
    default:
      return binding.kind;
  }
}

function isHelperFunction(binding: Binding): boolean {
  const { declaration } = binding;
  if (declaration.type !== 'VariableDeclarator' || declaration.id.type !== 'Identifier' || !declaration.init)
    return false;
  return isFunction(unwrap(declaration.init));
}

function reportClosureWrite(model: Model, fn: DirectiveFunction, binding: Binding, node: Node): void {
  report(
    model,
    'closure-write',
    node.start as number,
    node.end as number,
    `The step '${fn.fact.name}' works on a copy of '${binding.name}', so this write is lost.`,
    {
      remedy: `Return the new value from the step and assign it outside: ${binding.name} = await ${fn.fact.name}(…)`,
      related: [
        {
          start: binding.node.start as number,
          end: binding.node.end as number,
          message: `'${binding.name}' is declared here`,
        },
      ],
    },
  );
}

export function checkCaptures(model: Model, fn: DirectiveFunction): boolean {
  for (const known of fn.fact.captures) {
    if (known.declared !== 'function' && known.declared !== 'class') continue;
    report(
      model,
      'closure-unserializable',
      known.span.start,
      known.span.end,
      `The step '${fn.fact.name}' takes the ${known.declared} '${known.name}' from the code around it, and a ${known.declared} cannot be serialized.`,
      {
        remedy: `Move '${known.name}' to the top level of the module, where the step finds it without taking it along.`,
        related: [
          {
            start: known.declarationSpan.start,
            end: known.declarationSpan.end,
            message: `'${known.name}' is declared here`,
          },
        ],
      },
    );
  }
  return true;
}
