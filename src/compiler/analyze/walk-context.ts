import type * as t from '@babel/types';
import type { DirectiveKind, Unit } from '../facts.ts';
import { eachChild, isTransparent, isTypeOnly, keyName, type Node, unwrap } from './ast.ts';
import { exactDirective, isDirectiveLike } from './directives.ts';
import type { Binding, BindingKind, ClassSite, DefinitionSite, FunctionInfo, MemberUse, Model } from './model.ts';
import { Scope } from './model.ts';
import type { Definer } from './sources.ts';

/**
 * What the walk knows at the node where it stands: the nodes around it, the scope, the function, the unit; and the notes that it
 * takes there.
 */
export abstract class WalkContext {
  protected readonly model: Model;
  /** Functions that the module's own directive marks. */
  protected readonly marked: ReadonlyMap<Node, { kind: DirectiveKind; directive: Node }>;
  /** Local names of `defineAction` and the like, and of namespaces that hold them. */
  protected readonly definers: ReadonlyMap<string, Definer>;
  protected readonly symbols: ReadonlyMap<string, 'serialize' | 'deserialize'>;
  protected readonly stack: Node[] = [];
  /** The `run` options of definitions, each a unit of its own. */
  protected readonly runs = new Map<Node, DefinitionSite>();
  protected scope: Scope;
  protected fn: FunctionInfo | null = null;
  protected unit = 0;
  /** Units of variables that a pattern of the top level declares. */
  protected readonly leafUnits = new Map<Node, number>();
  /** The unit of the field whose value is visited; functions in it are units of their own. */
  protected fieldUnit = -1;
  protected statement = 0;
  protected inExport = false;
  /** How many `try` with a `catch` stand around, in the same function. */
  protected tries = 0;
  protected currentClass: ClassSite | null = null;
  /** Whether the module mentions `queueMicrotask` at all. */
  protected readonly queues: boolean;

  constructor(
    model: Model,
    marked: ReadonlyMap<Node, { kind: DirectiveKind; directive: Node }>,
    definers: ReadonlyMap<string, Definer>,
    symbols: ReadonlyMap<string, 'serialize' | 'deserialize'>,
  ) {
    this.model = model;
    this.marked = marked;
    this.definers = definers;
    this.symbols = symbols;
    this.scope = model.module;
    this.queues = model.source.includes('queueMicrotask');
  }

  protected readonly visit = (node: Node): void => {
    if (node.type === 'Identifier') {
      if (node.name === 'arguments') this.noteArguments(node);
      else this.identifier(node);
      return;
    }
    if (node.type.startsWith('TS') && isTypeOnly(node)) return;
    this.stack.push(node);
    this.enter(node);
    this.stack.pop();
  };

  /** A mention of a name. */
  protected abstract identifier(node: t.Identifier): void;

  /** Any other node, which stands on top of the stack. */
  protected abstract enter(node: Node): void;

  protected children(node: Node): void {
    eachChild(node, this.visit);
  }

  protected scoped(node: Node, body: () => void): void {
    const outer = this.scope;
    this.scope = new Scope(outer, 'block', node, this.fn);
    body();
    this.scope = outer;
  }

  protected declare(id: Node, kind: BindingKind, declaration: Node, scope: Scope): Binding {
    const name = (id as t.Identifier).name;
    return scope.declare({ name, kind, scope, node: id, declaration, refs: [] });
  }

  protected declarePattern(pattern: Node, kind: BindingKind, declaration: Node, scope: Scope): void {
    switch (pattern.type) {
      case 'Identifier':
        this.declare(pattern, kind, declaration, scope);
        return;
      case 'ObjectPattern':
        for (const property of pattern.properties)
          this.declarePattern(
            property.type === 'RestElement' ? property.argument : property.value,
            kind,
            declaration,
            scope,
          );
        return;
      case 'ArrayPattern':
        for (const element of pattern.elements) if (element) this.declarePattern(element, kind, declaration, scope);
        return;
      case 'AssignmentPattern':
        this.declarePattern(pattern.left, kind, declaration, scope);
        return;
      case 'RestElement':
        this.declarePattern(pattern.argument, kind, declaration, scope);
        return;
      case 'TSParameterProperty':
        this.declarePattern(pattern.parameter, kind, declaration, scope);
        return;
      default:
    }
  }

  protected openUnit(kind: Unit['kind'], path: string, node: Node): number {
    const { units, positions } = this.model;
    const named = (node as t.FunctionExpression).id ?? (node as t.ObjectMethod).key ?? node;
    const start = named.start as number;
    units.push({
      path,
      kind,
      span: positions.span(node.start as number, node.end as number),
      nameSpan:
        named === node
          ? positions.span(start, firstTokenEnd(this.model.source, start))
          : positions.span(start, named.end as number),
      uses: [],
    });
    return units.length - 1;
  }

  /** The getter of the same name has the path itself: who reads the member does not run the setter. */
  protected setterPath(node: t.ClassMethod | t.ClassPrivateMethod | t.ObjectMethod, path: string): string {
    const around = this.stack[this.stack.length - 2] as Node;
    const members: readonly Node[] =
      around.type === 'ClassBody' ? around.body : around.type === 'ObjectExpression' ? around.properties : [];
    const name = keyName(node.key, (node as t.ClassMethod).computed);
    const hasGetter = members.some((member) => {
      const { kind, key, computed, static: isStatic } = member as t.ClassMethod;
      return kind === 'get' && isStatic === (node as t.ClassMethod).static && keyName(key, computed) === name;
    });
    const own = hasGetter ? `${path}=` : path;
    this.model.setters.set(path, own);
    return own;
  }

  protected noteThis(node: Node): void {
    for (let fn = this.fn; fn; fn = fn.arrow ? fn.parent : null) fn.thisAt ??= node;
  }

  /** `this.save()`, `super.save()`, `super()`: a mention of a method of the class or object around. `node` is on top. */
  protected noteMember(node: Node, name: string, ofBase: boolean): void {
    const parent = this.stack[this.stack.length - 2] as Node;
    const held = heldMember(this.stack);
    for (let i = this.stack.length - 2; i >= 0; i--) {
      const around = this.stack[i] as Node;
      const above = this.stack[i - 1];
      if (this.currentClass && above === this.currentClass.node.body) {
        const isStatic = around.type === 'StaticBlock' || Boolean((around as t.ClassMethod).static);
        this.model.members.push({
          site: this.currentClass,
          object: null,
          name,
          isStatic,
          ofBase,
          node,
          parent,
          unit: this.unit,
          ...held,
        });
        return;
      }
      if (around.type === 'FunctionDeclaration') return;
      if (
        around.type === 'ObjectMethod' ||
        (around.type === 'FunctionExpression' && above?.type === 'ObjectProperty')
      ) {
        const object = { ancestors: this.stack.slice(0, i), node: around };
        if (!ofBase)
          this.model.members.push({
            site: null,
            object,
            name,
            isStatic: true,
            ofBase,
            node,
            parent,
            unit: this.unit,
            ...held,
          });
        return;
      }
      if (around.type === 'FunctionExpression') return;
    }
  }

  protected noteArguments(node: Node): void {
    if (this.scope.find('arguments')) return;
    for (let fn = this.fn; fn; fn = fn.arrow ? fn.parent : null) fn.argumentsAt ??= node;
  }

  /** What is read or called by `super` gets the `this` of the function: it takes that too. */
  protected noteSuper(node: Node): void {
    this.noteThis(node);
    for (let fn = this.fn; fn; fn = fn.arrow ? fn.parent : null) fn.superAt ??= node;
  }

  protected noteNewTarget(node: Node): void {
    for (let fn = this.fn; fn; fn = fn.arrow ? fn.parent : null) fn.newTargetAt ??= node;
  }

  protected notePrivate(node: Node): void {
    for (let fn = this.fn; fn; fn = fn.parent) fn.privateAt ??= node;
  }

  /** The statement on top of the stack may be a directive in the wrong place. */
  protected strayIn(node: t.ExpressionStatement): void {
    const inner = unwrap(node.expression);
    const literal = leftmostText(inner);
    if (!literal || !isDirectiveLike(literal.text)) return;
    const form = literal.node === inner ? 'statement' : 'glued';
    this.model.strays.push({
      node,
      literal: literal.node,
      text: literal.text,
      form,
      ancestors: this.stack.slice(0, -1),
    });
  }

  protected strayInArrow(body: Node): void {
    const literal = leftmostText(unwrap(body));
    if (!literal || exactDirective(literal.text) === null) return;
    this.model.strays.push({ node: body, literal: literal.node, text: literal.text, form: 'arrow', ancestors: [] });
  }
}

/** The text with which an expression begins: `'use step'` of `'use step'[0]`, for want of a semicolon. */
function leftmostText(node: Node): { node: Node; text: string } | null {
  switch (node.type) {
    case 'StringLiteral':
      return { node, text: node.value };
    case 'TemplateLiteral': {
      const text = node.expressions.length === 0 ? node.quasis[0]?.value.cooked : null;
      return text == null ? null : { node, text };
    }
    case 'MemberExpression':
    case 'OptionalMemberExpression':
      return leftmostText(unwrap(node.object));
    case 'CallExpression':
    case 'OptionalCallExpression':
      return leftmostText(unwrap(node.callee as Node));
    case 'TaggedTemplateExpression':
      return leftmostText(unwrap(node.tag));
    case 'BinaryExpression':
    case 'LogicalExpression':
      return leftmostText(unwrap(node.left as Node));
    case 'ConditionalExpression':
      return leftmostText(unwrap(node.test));
    case 'SequenceExpression':
      return leftmostText(unwrap(node.expressions[0] as Node));
    case 'UnaryExpression':
      return leftmostText(unwrap(node.argument));
    default:
      return null;
  }
}

/** What is called or read of the member on top of the stack. */
function heldMember(stack: readonly Node[]): Pick<MemberUse, 'held'> | null {
  const path: string[] = [];
  let node = stack.at(-1) as Node;
  let child = node;
  for (let i = stack.length - 2; i >= 0; i--) {
    const parent = stack[i] as Node;
    if (isTransparent(parent)) child = parent;
    else {
      const isMember = parent.type === 'MemberExpression' || parent.type === 'OptionalMemberExpression';
      const name = isMember && parent.object === child ? keyName(parent.property, parent.computed) : null;
      if (name === null) {
        const isChanged = parent.type === 'UpdateExpression' || 'left' in parent || 'operator' in parent;
        return path.length === 0 || isChanged ? null : { held: { path, node, parent } };
      }
      path.push(name);
      node = parent;
      child = parent;
    }
  }
  return null;
}

function firstTokenEnd(source: string, start: number): number {
  const match = /^(?:[\w$]+|.)/u.exec(source.slice(start, start + 64));
  return start + (match?.[0].length ?? 1);
}
