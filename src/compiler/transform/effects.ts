import { type Node, unwrap } from '../analyze/ast.ts';

/** Offsets of the calls and `new` expressions that run when a value is made (not those in functions within it). */
export function pureCalls(init: Node): number[] {
  const found: number[] = [];
  const visit = (node: Node): void => {
    const inner = unwrap(node);
    switch (inner.type) {
      case 'CallExpression':
      case 'NewExpression':
        found.push(inner.start as number);
        visit(inner.callee as Node);
        for (const argument of inner.arguments) visit(argument as Node);
        return;
      case 'MemberExpression':
        visit(inner.object);
        return;
      case 'SpreadElement':
        visit(inner.argument);
        return;
      case 'ObjectExpression':
        for (const property of inner.properties)
          if (property.type !== 'ObjectMethod')
            visit(property.type === 'ObjectProperty' ? property.value : property.argument);
        return;
      case 'ArrayExpression':
        for (const element of inner.elements) if (element) visit(element);
        return;
      case 'ConditionalExpression':
        visit(inner.consequent);
        visit(inner.alternate);
        return;
      case 'LogicalExpression':
        visit(inner.left);
        visit(inner.right);
        return;
      default:
    }
  };
  visit(init);
  return [...new Set(found)];
}

/** Names at the roots of what a statement changes: targets of assignments, objects of method calls, arguments of calls. */
export function changedNames(statement: Node, isLocalValue: (name: string) => boolean): string[] {
  const names: string[] = [];
  const root = (node: Node): string | null => {
    const inner = unwrap(node);
    if (inner.type === 'Identifier') return inner.name;
    return inner.type === 'MemberExpression' ? root(inner.object) : null;
  };
  const add = (node: Node) => {
    const name = root(node);
    if (name !== null) names.push(name);
  };
  const visit = (node: Node): void => {
    switch (node.type) {
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
      case 'ClassExpression':
        return;
      case 'AssignmentExpression':
        if (unwrap(node.left).type !== 'Identifier' || root(node.left) !== null) add(node.left);
        visit(node.right);
        return;
      case 'UpdateExpression':
        add(node.argument);
        return;
      case 'CallExpression': {
        const callee = unwrap(node.callee as Node);
        if (callee.type === 'MemberExpression') add(callee.object);
        const owner = root(callee);
        // `app.use(helper)` sets up `app`, not `helper`; `Object.assign(table, …)` and `register(table)` change their argument.
        if (owner === null || callee.type === 'Identifier' || !isLocalValue(owner))
          for (const argument of node.arguments) add(argument as Node);
        visit(callee);
        for (const argument of node.arguments) visit(argument as Node);
        return;
      }
      default:
        for (const key in node) {
          const value = (node as unknown as Record<string, unknown>)[key];
          if (key === 'loc' || value === null || typeof value !== 'object') continue;
          for (const child of Array.isArray(value) ? value : [value])
            if (child && typeof child.type === 'string') visit(child as Node);
        }
    }
  };
  visit(statement);
  return names;
}
