import type { Node } from './ast.ts';
import { stepBindings } from './captures.ts';
import { collectionOf, MUTATORS } from './collections.ts';
import type { Binding, DirectiveFunction, Model, Ref } from './model.ts';
import { report } from './report.ts';

/**
 * A nested step changes what it took along, `list.push(x)` or `order.total = 1`: it changes a copy (2003). Reported where that
 * surely is a mistake: the step does nothing else with the variable, and the code around reads it after it called the step.
 * A step may well change its copy for a purpose of its own.
 */
export function checkLostWrites(model: Model, functions: readonly DirectiveFunction[]): void {
  const steps = functions.filter(({ fact }) => fact.placement === 'hoisted');
  if (steps.length === 0) return;
  const holders = new Map<DirectiveFunction, Binding>();
  for (const [binding, fn] of stepBindings(functions)) holders.set(fn, binding);
  for (const fn of steps) {
    const holder = holders.get(fn);
    if (!holder) continue;
    const calls = holder.refs.filter(
      ({ access, path, node }) => access === 'call' && path.length === 1 && !isWithin(fn, node),
    );
    if (calls.length === 0) continue;
    const called = Math.min(...calls.map(({ node }) => node.start as number));
    for (const { name } of fn.fact.captures) {
      const binding = fn.site.outer.find(name);
      if (binding) checkVariable(model, functions, fn, binding, called);
    }
  }
}

function checkVariable(
  model: Model,
  functions: readonly DirectiveFunction[],
  fn: DirectiveFunction,
  binding: Binding,
  called: number,
): void {
  const inside = binding.refs.filter(({ node }) => isWithin(fn, node));
  const changes = inside.flatMap((ref) => {
    const path = changedPath(ref, binding);
    return path ? [{ ref, path }] : [];
  });
  const [first] = changes;
  if (!first || changes.length < inside.length) return;
  const others = functions.filter((other) => other !== fn && other.fact.kind === 'step');
  const after = binding.refs.filter(
    ({ node }) =>
      (node.start as number) > called && !isWithin(fn, node) && !others.some((other) => isWithin(other, node)),
  );
  if (after.some(({ rebinds }) => rebinds)) return;
  const read = after.find((ref) => !changedPath(ref, binding) && changes.some(({ path }) => overlaps(path, ref.path)));
  if (!read) return;
  const { ref } = first;
  report(
    model,
    'closure-write',
    ref.node.start as number,
    ref.end,
    `The step '${fn.fact.name}' works on a copy of '${binding.name}', so this change is lost.`,
    {
      remedy: `Return what is new from the step, and change '${binding.name}' outside.`,
      related: [{ start: read.node.start as number, end: read.end, message: `'${read.path.join('.')}' is read here` }],
    },
  );
}

function isWithin({ fact }: DirectiveFunction, { start }: Node): boolean {
  return fact.text.start <= (start as number) && (start as number) < fact.text.end;
}

function overlaps(a: readonly string[], b: readonly string[]): boolean {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return false;
  return true;
}

/** What a mention does nothing with but change it: the path to what is changed. */
function changedPath(ref: Ref, binding: Binding): string[] | null {
  if (ref.access === 'write') return ref.rebinds ? null : ref.path;
  if (ref.access !== 'call' || ref.path.length !== 2) return null;
  const kind = collectionOf(binding.declaration, binding.node);
  return kind && MUTATORS[kind].has(ref.path[1] as string) ? ref.path.slice(0, 1) : null;
}
