import type * as t from '@babel/types';
import type { Unit } from '../facts.ts';
import { hasRest, headOf, isName, memberOfLiteral, patternLeaves, WHOLE } from './aliases.ts';
import { type FunctionNode, isFunction, isTransparent, keyName, type Node, staticPath, unwrap } from './ast.ts';
import type { DefinitionSite, ModuleReference, Ref } from './model.ts';
import { isAlwaysRun, isAskedFor, pauseOf } from './idioms.ts';
import { definerOf, symbolFor } from './sources.ts';
import { WalkContext } from './walk-context.ts';

/** References of the walk: what each mention of a name takes, calls or writes, and the calls that mean something to pawl. */
export abstract class ReferenceWalker extends WalkContext {
  protected identifier(node: t.Identifier): void {
    this.reference(node, 'read', false);
  }

  protected reference(
    node: t.Identifier | t.JSXIdentifier,
    access: Ref['access'],
    rebinds: boolean,
    how?: Ref['how'],
  ): void {
    this.mention(node, node.name, access, { rebinds, how });
  }

  /** `import.meta.env`: a name that no binding can have. The node is on top of the stack. */
  protected importMeta(node: t.MetaProperty): void {
    this.mention(node, 'import.meta', 'read', { rebinds: false }, this.stack.length - 2);
  }

  /** @param top - index of the node around, in the stack */
  protected mention(
    node: Node,
    name: string,
    access: Ref['access'],
    { rebinds, how }: Pick<Ref, 'rebinds' | 'how'>,
    top: number = this.stack.length - 1,
  ): void {
    const stack = this.stack;
    const path = [name];
    let end = node.end as number;
    let child: Node = node;
    let i = top;
    for (; i >= 0; i--) {
      const parent = stack[i] as Node;
      if (isTransparent(parent) || isLastOf(parent, child)) child = parent;
      else if (
        (parent.type === 'MemberExpression' || parent.type === 'OptionalMemberExpression') &&
        parent.object === child
      ) {
        const name = keyName(parent.property, parent.computed);
        if (name === null) break;
        path.push(name);
        end = parent.end as number;
        child = parent;
      } else break;
    }
    const parent = stack[i];
    let kind = access;
    if (kind === 'read' && parent) {
      if ((parent.type === 'CallExpression' || parent.type === 'OptionalCallExpression') && parent.callee === child)
        kind = 'call';
      else if (parent.type === 'TaggedTemplateExpression' && parent.tag === child) kind = 'call';
      else if (parent.type === 'NewExpression' && parent.callee === child) kind = 'new';
    }
    const ref: Ref = {
      name,
      node,
      scope: this.scope,
      fn: this.fn,
      binding: null,
      path,
      access: kind,
      rebinds,
      end,
      unit: this.unit,
      statement: this.statement,
      exported: this.inExport,
      silent: false,
      inTry: this.tries > 0,
    };
    if (how) ref.how = how;
    if ((kind === 'call' || kind === 'new') && 'arguments' in (parent as Node)) {
      const given = (parent as t.CallExpression).arguments;
      ref.args = given.some(({ type }) => type === 'SpreadElement') ? Number.POSITIVE_INFINITY : given.length;
    }
    this.model.refs.push(ref);
    if (kind === 'new') this.noteInstanceMember(ref, i);
    else if (kind === 'call' && this.model.sdk.has(name)) this.noteResult(ref, i);
    if (!parent) return;
    if (parent.type === 'VariableDeclarator' && parent.init === child) {
      this.model.heads.set(parent, ref);
      if (parent.id.type !== 'Identifier') this.noteTaken(ref, parent.id);
      else {
        this.noteAlias(parent, ref);
        if (this.fn) ref.holder = { id: parent.id, members: [] };
      }
    } else if (parent.type === 'ObjectProperty' ? parent.value === child : parent.type === 'ExportDefaultDeclaration') {
      this.noteAlias(parent, ref);
      if (this.fn) ref.holder = this.holderOf(i);
    } else if (parent.type === 'ClassProperty' && parent.value === child) this.noteAlias(parent, ref);
    else if (parent.type === 'SpreadElement') this.noteSpread(i, ref);
    else if (parent.type === 'BinaryExpression') {
      if (/^[!=]==?$/.test(parent.operator)) ref.compared = true;
    } else if (parent.type === 'AssignmentPattern' && parent.right === child) this.noteDefault(i, ref);
    else if (parent.type.endsWith('CallExpression') && (parent as t.CallExpression).callee !== child) ref.given = true;
  }

  /** The variable that holds the object literal, or the one around it, with the property at that place of the stack. */
  protected holderOf(index: number): Ref['holder'] {
    const members: string[] = [];
    for (let i = index; i > 0; ) {
      const property = this.stack[i] as Node;
      if (property.type !== 'ObjectProperty' || this.stack[i - 1]?.type !== 'ObjectExpression') return undefined;
      const name = keyName(property.key, property.computed);
      if (name === null) return undefined;
      members.unshift(name);
      let child = this.stack[i - 1] as Node;
      for (i -= 2; i >= 0 && isTransparent(this.stack[i] as Node); i--) child = this.stack[i] as Node;
      const parent = this.stack[i];
      if (parent?.type === 'VariableDeclarator')
        return parent.init === child && parent.id.type === 'Identifier' ? { id: parent.id, members } : undefined;
    }
    return undefined;
  }

  /** `const client = { ...base }`: what the literal has of its own is found before that. */
  protected noteSpread(index: number, ref: Ref): void {
    const { kind, span } = this.model.units[this.unit] as Unit;
    if (kind !== 'variable' || this.fn !== null || this.stack[index - 1]?.type !== 'ObjectExpression') return;
    let i = index - 2;
    while (i >= 0 && isTransparent(this.stack[i] as Node)) i--;
    const holder = this.stack[i];
    if (holder?.start === span.start && holder.end === span.end) this.model.spreads.push({ unit: this.unit, ref });
  }

  /** `function load(url, get = http)`: what stands in for a parameter that is left out. */
  protected noteDefault(index: number, ref: Ref): void {
    let parameter = this.stack[index] as Node;
    let i = index - 1;
    if (this.stack[i]?.type === 'TSParameterProperty') parameter = this.stack[i--] as Node;
    const owner = this.stack[i];
    if (!owner || !isFunction(owner) || this.fn?.node !== owner) return;
    const at = owner.params.indexOf(parameter as never);
    if (at >= 0) ref.orElse = { fn: this.fn, index: at };
  }

  /** All of the value of the unit that was opened for a variable or a property is one name. */
  protected noteAlias({ start, end }: Node, ref: Ref): void {
    const { kind, span } = this.model.units[this.unit] as Unit;
    if (kind === 'variable' && span.start === start && span.end === end)
      this.model.aliases.push({ unit: this.unit, ref, place: WHOLE });
  }

  /** `const { readFile } = fs`, `const [first] = handlers`: what is taken of it is said by name. */
  protected noteTaken(ref: Ref, pattern: Node): void {
    const own = this.unit === 0 && this.fn === null && this.scope === this.model.module;
    for (const [leaf, place] of patternLeaves(pattern)) {
      const unit = own ? this.openUnit('variable', (leaf as t.Identifier).name, leaf) : this.unit;
      const taken: Ref = { ...ref, path: [...ref.path, ...place.members], unit };
      if (place.element !== null) taken.elementAt = ref.path.length + place.element;
      // What it is made of may stand far away; a person looks for the name that is used.
      if (!own) {
        taken.named = leaf;
        taken.holder = { id: leaf, members: [] };
      }
      this.model.refs.push(taken);
      if (!own) continue;
      this.leafUnits.set(leaf, unit);
      this.model.aliases.push({ unit, ref: taken, place: { ...place, members: [] } });
    }
    ref.silent = !hasRest(pattern);
  }

  /** `const [first, ...rest] = [save, load]`: variables of the module that are other names of what is written in place. */
  protected noteElements({ id, init }: t.VariableDeclarator): void {
    const array = unwrap(init as Node);
    if (id.type !== 'ArrayPattern' || array.type !== 'ArrayExpression') return;
    if (this.unit !== 0 || this.fn !== null || this.scope !== this.model.module) return;
    for (const [leaf, { members, offset, hasDefault }] of patternLeaves(id)) {
      const name = (leaf as t.Identifier).name;
      const [member, ...deeper] = members;
      if (member === undefined) {
        if (array.elements.slice(0, offset).some((element) => element?.type === 'SpreadElement')) continue;
        const unit = this.openUnit('variable', name, leaf);
        (this.model.units[unit] as Unit).holds = 'array';
        this.model.arrays.set(unit, { ...array, elements: array.elements.slice(offset) });
      } else if (deeper.length === 0 && offset === 0 && !hasDefault) {
        const element = memberOfLiteral(array, member);
        if (element && isName(element))
          this.model.elements.push({ unit: this.openUnit('variable', name, leaf), element });
      }
    }
  }

  /** `new Order(id).total()`: a member of the instance. */
  protected noteInstanceMember(ref: Ref, index: number): void {
    let child = this.stack[index] as Node;
    for (let i = index - 1; i >= 0; i--) {
      const parent = this.stack[i] as Node;
      if (isTransparent(parent)) {
        child = parent;
        continue;
      }
      if ((parent.type !== 'MemberExpression' && parent.type !== 'OptionalMemberExpression') || parent.object !== child)
        return;
      const name = keyName(parent.property, parent.computed);
      const around = this.stack[i - 1] as Node;
      const isCalled = around.type.endsWith('CallExpression') && (around as t.CallExpression).callee === parent;
      const isSet = around.type === 'AssignmentExpression' && around.left === parent;
      const access = isCalled ? 'call' : isSet ? 'write' : 'read';
      if (name !== null)
        this.model.refs.push({ ...ref, path: [...ref.path, `#${name}`], access, end: parent.end as number });
      return;
    }
  }

  /** `getWritable().getWriter().write(text)`: what is done with what a call gives. */
  protected noteResult(ref: Ref, index: number): void {
    const path = [...ref.path, '()'];
    let child = this.stack[index] as Node;
    for (let i = index - 1; i >= 0; i--) {
      const parent = this.stack[i] as Node;
      if (parent.type === 'AwaitExpression') path.push('await');
      else if (!isTransparent(parent)) {
        if (parent.type !== 'MemberExpression' && parent.type !== 'OptionalMemberExpression') return;
        const name = parent.object === child ? keyName(parent.property, parent.computed) : null;
        if (name === null) return;
        path.push(name);
        const call = this.stack[i - 1];
        const isCalled = call?.type.endsWith('CallExpression') === true && (call as t.CallExpression).callee === parent;
        const access = isCalled ? 'call' : 'read';
        this.model.refs.push({ ...ref, path: [...path], access, end: parent.end as number });
        if (isCalled) {
          path.push('()');
          i--;
        }
      }
      child = this.stack[i] as Node;
    }
  }

  /** `typeof fetch` asks whether there is one and does nothing with it. */
  protected probe(node: Node): void {
    const before = this.model.refs.length;
    this.visit(node);
    const [ref] = this.model.refs.slice(before);
    if (!ref || ref.end !== unwrap(node).end) return;
    ref.silent = true;
    this.model.probes.push(ref);
  }

  /** What an assignment writes: a variable, a member, or a pattern of them. */
  protected target(node: Node, how?: Ref['how']): void {
    const inner = unwrap(node);
    switch (inner.type) {
      case 'Identifier':
        this.reference(inner, 'write', true, how);
        return;
      case 'MemberExpression':
      case 'OptionalMemberExpression': {
        const before = this.model.refs.length;
        this.visit(inner);
        const root = this.model.refs[before];
        if (!root || (root.node.start !== inner.start && root.end !== inner.end)) return;
        root.access = 'write';
        const kind = how !== 'lazy' && root.end !== inner.end ? 'computed' : how;
        if (kind) root.how = kind;
        return;
      }
      case 'ObjectPattern':
        for (const property of inner.properties) {
          if (property.type === 'RestElement') this.target(property.argument, how);
          else {
            if (property.computed) this.visit(property.key);
            this.target(property.value, how);
          }
        }
        return;
      case 'ArrayPattern':
        for (const element of inner.elements) if (element) this.target(element, how);
        return;
      case 'AssignmentPattern':
        this.target(inner.left, how);
        this.stack.push(inner);
        this.visit(inner.right);
        this.stack.pop();
        return;
      case 'RestElement':
        this.target(inner.argument, how);
        return;
      default:
        this.visit(inner);
    }
  }

  /** Which of the serialization symbols a computed key is. */
  protected symbolOf(key: Node): 'serialize' | 'deserialize' | null {
    const inner = unwrap(key);
    if (inner.type === 'Identifier') return this.symbols.get(inner.name) ?? null;
    const path = staticPath(inner);
    if (path) return this.symbols.get(path.join('.')) ?? null;
    return symbolFor(inner);
  }

  protected assignment(node: t.AssignmentExpression): void {
    const left = unwrap(node.left);
    const symbol = left.type === 'MemberExpression' && left.computed ? this.symbolOf(left.property) : null;
    if (symbol && left.type === 'MemberExpression')
      this.model.symbolWrites.push({ symbol, object: unwrap(left.object), node: left, scope: this.scope });
    const path = staticPath(node.left);
    if (path && node.operator === '=') {
      if (path[0] === 'module' || path[0] === 'exports') this.model.usesCommonJs = true;
      if (path.length > 1) this.model.options.push({ path, value: node.right, node, scope: this.scope });
    }
    this.target(node.left, this.howOf(node));
    this.visit(node.right);
  }

  /** What kind of write an assignment is, as far as that matters for variables of the module. The node is on top of the stack. */
  protected howOf(node: t.AssignmentExpression): Ref['how'] {
    if (/^(?:\?\?|\|\||&&)=$/.test(node.operator)) return 'lazy';
    let root = unwrap(node.left as Node);
    let name: string | null = null;
    while (root.type === 'MemberExpression') {
      name ??= keyName(root.property, root.computed);
      root = unwrap(root.object);
    }
    if (root.type !== 'Identifier') return undefined;
    const binding = this.scope.find(root.name);
    if (binding?.scope.isStatic === false && !this.model.heads.has(binding.declaration)) return undefined;
    if (node.operator !== '=') return node.operator === '-=' ? 'lower' : 'update';
    return isAskedFor(name ?? root.name, this.stack, this.model.source) ? 'lazy' : undefined;
  }

  protected jsxName(name: Node): void {
    if (name.type === 'JSXIdentifier') {
      if (/^[A-Z_$]/.test(name.name)) this.reference(name, 'call', false);
    } else if (name.type === 'JSXMemberExpression') {
      let root: Node = name;
      while (root.type === 'JSXMemberExpression') root = root.object;
      if (root.type === 'JSXIdentifier') this.reference(root, 'call', false);
    }
  }

  protected entityName(node: Node): void {
    let root = node;
    while (root.type === 'TSQualifiedName') root = root.left;
    if (root.type === 'Identifier') this.reference(root, 'read', false);
  }

  protected call(node: t.CallExpression | t.OptionalCallExpression): void {
    const callee = unwrap(node.callee as Node);
    if (callee.type === 'Import')
      this.require(node as t.CallExpression, node.arguments[0] as Node | undefined, 'dynamic');
    else if (callee.type === 'Identifier' && callee.name === 'require' && !this.scope.find('require'))
      this.require(node as t.CallExpression, node.arguments[0] as Node | undefined, 'require');
    else if (callee.type === 'Super') this.noteMember(node, 'constructor', true);
    else {
      if (callee.type === 'Identifier' && callee.name === 'setTimeout') {
        const pause = pauseOf(node as t.CallExpression, callee, this.stack, this.scope);
        if (pause) this.model.pauses.push(pause);
      }
      if (this.queues) this.noteQueued(node, callee);
      this.definition(node as t.CallExpression, callee);
    }
    this.children(node);
  }

  /** `soon(poll)` and `soon(() => poll())`: whether that is `queueMicrotask`, and given the function around, is known in the end. */
  protected noteQueued(node: t.CallExpression | t.OptionalCallExpression, callee: Node): void {
    const { stack, scope, fn } = this;
    const { source, queued } = this.model;
    const given = node.arguments[0];
    if (given?.type === 'Identifier' && isName(callee) && isAlwaysRun(stack, source))
      queued.push({ callee: headOf(callee), outer: scope, given, scope, fn });
    if (callee.type !== 'Identifier' || !fn || !isFunction(fn.node as Node)) return;
    const between = fn.node as FunctionNode;
    const at = stack.indexOf(between);
    const around = stack[at - 1];
    if (around?.type !== 'CallExpression' || around.arguments[0] !== between || between.generator) return;
    if (!isName(around.callee) || !isAlwaysRun(stack, source) || !isAlwaysRun(stack.slice(0, at), source)) return;
    const outer = fn.scope?.parent ?? scope;
    queued.push({ callee: headOf(around.callee), outer, given: callee, scope, fn: fn.parent });
  }

  protected definition(node: t.CallExpression, callee: Node): void {
    const path = staticPath(callee);
    if (!path) return;
    const definer = this.definers.get(path[0] as string);
    if (!definer) return;
    const kind =
      definer === 'namespace'
        ? path.length === 2
          ? definerOf(path[1] as string)
          : undefined
        : path.length === 1
          ? definer
          : undefined;
    if (!kind || this.scope.find(path[0] as string)?.kind !== 'import') return;
    const site: DefinitionSite = { kind, call: node, ancestors: this.stack.slice(0, -1), unit: -1 };
    const options = node.arguments[0] && unwrap(node.arguments[0] as Node);
    if (options?.type === 'ObjectExpression' && kind !== 'credential')
      for (const property of options.properties)
        if (property.type !== 'SpreadElement' && keyName(property.key, property.computed) === 'run')
          this.runs.set(property, site);
    this.model.definitions.push(site);
  }

  protected require(
    node: t.CallExpression | t.ImportExpression,
    argument: Node | undefined,
    form: ModuleReference['form'],
  ): void {
    const inner = argument && unwrap(argument);
    let specifier: string | null = null;
    if (inner?.type === 'StringLiteral') specifier = inner.value;
    else if (inner?.type === 'TemplateLiteral' && inner.expressions.length === 0)
      specifier = inner.quasis[0]?.value.cooked ?? null;
    if (form === 'require') this.model.usesCommonJs = true;
    const path: string[] = [];
    const locals: ModuleReference['locals'] = [];
    let child: Node = node;
    for (let i = this.stack.length - 2; i >= 0; i--) {
      const parent = this.stack[i] as Node;
      if (parent.type === 'AwaitExpression' || isTransparent(parent)) child = parent;
      else if (parent.type === 'MemberExpression' && parent.object === child) {
        const name = keyName(parent.property, parent.computed);
        if (name === null) break;
        path.push(name);
        child = parent;
      } else {
        if (parent.type === 'VariableDeclarator' && parent.init === child) locals.push(...localsOf(parent.id, path));
        break;
      }
    }
    this.model.requires.push({
      specifier,
      form,
      node,
      path,
      unit: this.unit,
      fn: this.fn,
      statement: this.statement,
      locals,
      topLevel: this.fn === null && this.scope.isStatic,
    });
  }
}

/** `(0, save)('x')` calls `save`. */
function isLastOf(parent: Node, child: Node): boolean {
  return parent.type === 'SequenceExpression' && parent.expressions.at(-1) === child;
}

function localsOf(id: Node, path: string[]): ModuleReference['locals'] {
  if (id.type === 'Identifier') return [{ local: id.name, imported: path[0] ?? '*' }];
  if (id.type !== 'ObjectPattern' || path.length > 0) return [];
  const locals: ModuleReference['locals'] = [];
  for (const property of id.properties) {
    if (property.type === 'RestElement') continue;
    const imported = keyName(property.key, property.computed);
    const value = property.value.type === 'AssignmentPattern' ? property.value.left : property.value;
    if (imported !== null && value.type === 'Identifier') locals.push({ local: value.name, imported });
  }
  return locals;
}
