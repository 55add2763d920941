import type * as t from '@babel/types';
import type { Unit } from '../facts.ts';
import { type FunctionNode, isFunction, isTransparent, keyName, type Node, staticPath, unwrap } from './ast.ts';
import { directiveOf } from './directives.ts';
import { isName } from './aliases.ts';
import { collectionIn } from './collections.ts';
import { isCalledInPlace } from './idioms.ts';
import type { BindingKind, ClassSite, DefinitionSite, FunctionInfo } from './model.ts';
import { functionInfo, Scope } from './model.ts';
import { placeOf } from './names.ts';
import { ReferenceWalker } from './walk-references.ts';

/**
 * The one walk over a module. It builds scopes, collects every reference with its member path, and notes the functions,
 * classes, calls and statements that later passes judge. References are resolved at the end, so hoisting needs no care.
 */
export class Walker extends ReferenceWalker {
  run(): void {
    const { program } = this.model;
    this.stack.push(program);
    program.body.forEach((statement, i) => {
      this.statement = i;
      this.visit(statement);
    });
    this.stack.pop();
    for (const ref of this.model.refs) {
      ref.binding = ref.scope.find(ref.name);
      ref.binding?.refs.push(ref);
    }
  }

  /** What makes up most of a program is spelled out: reading children by the names of their keys costs several times as much. */
  protected enter(node: Node): void {
    switch (node.type) {
      case 'StringLiteral':
      case 'NumericLiteral':
      case 'BooleanLiteral':
      case 'NullLiteral':
        return;
      case 'AwaitExpression':
        this.visit(node.argument);
        return;
      case 'ReturnStatement':
        if (node.argument) this.visit(node.argument);
        return;
      case 'BinaryExpression':
      case 'LogicalExpression':
        this.visit(node.left);
        this.visit(node.right);
        return;
      case 'IfStatement':
      case 'ConditionalExpression':
        this.visit(node.test);
        this.visit(node.consequent);
        if (node.alternate) this.visit(node.alternate);
        return;
      case 'TemplateLiteral':
        for (const expression of node.expressions) this.visit(expression);
        return;
      case 'ObjectExpression':
        for (const property of node.properties) this.visit(property);
        return;
      case 'MemberExpression':
      case 'OptionalMemberExpression':
        this.visit(node.object);
        if (node.object.type === 'ThisExpression' || node.object.type === 'Super') {
          const name = keyName(node.property, node.computed);
          if (name !== null) this.noteMember(node, name, node.object.type === 'Super');
        }
        if (node.computed) this.visit(node.property);
        else if (node.property.type === 'PrivateName') this.notePrivate(node);
        return;
      case 'FunctionDeclaration':
        if (node.id) this.declare(node.id, 'function', node, this.scope);
        this.functionNode(node);
        return;
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        this.functionNode(node);
        return;
      case 'ObjectMethod':
      case 'ClassMethod':
      case 'ClassPrivateMethod':
        if ((node as t.ObjectMethod).computed) this.visit(node.key);
        this.decorators(node);
        this.functionNode(node);
        return;
      case 'ObjectProperty':
        if (node.computed) this.visit(node.key);
        this.inRun(node, () => this.inProperty(node, () => this.visit(node.value)));
        return;
      case 'VariableDeclaration':
        this.variables(node);
        return;
      case 'AssignmentExpression':
        this.assignment(node);
        return;
      case 'UpdateExpression':
        this.target(node.argument, node.operator === '--' ? 'lower' : 'update');
        return;
      case 'UnaryExpression':
        if (node.operator === 'delete') this.target(node.argument, 'update');
        else if (node.operator === 'typeof') this.probe(node.argument);
        else this.visit(node.argument);
        return;
      case 'BlockStatement':
        this.block(node, node.body);
        return;
      case 'ForStatement':
        this.scoped(node, () => this.children(node));
        return;
      case 'ForInStatement':
      case 'ForOfStatement':
        this.scoped(node, () => {
          if (node.left.type === 'VariableDeclaration') {
            const [declarator] = node.left.declarations;
            if (declarator && node.type === 'ForOfStatement' && node.await)
              this.model.iterated.set(declarator, node.right);
            this.visit(node.left);
          } else this.target(node.left);
          this.visit(node.right);
          this.visit(node.body);
        });
        return;
      case 'SwitchStatement':
        this.visit(node.discriminant);
        this.scoped(node, () => {
          for (const branch of node.cases) this.visit(branch);
        });
        return;
      case 'CatchClause':
        this.scoped(node, () => {
          if (node.param) {
            this.declarePattern(node.param as t.LVal, 'catch', node, this.scope);
            this.patternExpressions(node.param as t.LVal);
          }
          this.visit(node.body);
        });
        return;
      case 'ExpressionStatement':
        this.strayIn(node);
        this.visit(node.expression);
        return;
      case 'LabeledStatement':
        this.visit(node.body);
        return;
      case 'MetaProperty':
        if (node.meta.name === 'new') this.noteNewTarget(node);
        else this.importMeta(node);
        return;
      case 'TryStatement':
        if (node.handler) this.tries++;
        this.visit(node.block);
        if (node.handler) {
          this.tries--;
          this.visit(node.handler);
        }
        if (node.finalizer) this.visit(node.finalizer);
        return;
      case 'BreakStatement':
      case 'ContinueStatement':
      case 'ImportDeclaration':
      case 'ExportAllDeclaration':
        return;
      case 'ClassDeclaration':
      case 'ClassExpression':
        this.classNode(node);
        return;
      case 'ClassProperty':
      case 'ClassPrivateProperty':
      case 'ClassAccessorProperty':
        if ((node as t.ClassProperty).computed) this.visit(node.key);
        this.decorators(node);
        if (node.value) this.initializer(node, node.value);
        return;
      case 'StaticBlock':
        this.staticBlock(node);
        return;
      case 'ThisExpression':
        this.noteThis(node);
        return;
      case 'Super':
        this.noteSuper(node);
        return;
      case 'PrivateName':
        this.notePrivate(node);
        return;
      case 'CallExpression':
      case 'OptionalCallExpression':
        this.call(node);
        return;
      case 'ImportExpression':
        this.require(node, node.source, 'dynamic');
        this.children(node);
        return;
      case 'ExportNamedDeclaration':
        if (node.declaration) this.visit(node.declaration);
        else if (!node.source && node.exportKind !== 'type') {
          this.inExport = true;
          for (const specifier of node.specifiers)
            if (specifier.type === 'ExportSpecifier' && specifier.exportKind !== 'type') this.visit(specifier.local);
          this.inExport = false;
        }
        return;
      case 'ExportDefaultDeclaration':
        if (node.declaration.type.endsWith('Declaration')) this.visit(node.declaration as Node);
        else this.inVariable(null, node, unwrap(node.declaration), () => this.visit(node.declaration as Node));
        return;
      case 'JSXOpeningElement':
        this.jsxName(node.name);
        for (const attribute of node.attributes) this.visit(attribute);
        return;
      case 'JSXClosingElement':
        return;
      case 'JSXAttribute':
        if (node.value) this.visit(node.value);
        return;
      case 'TSParameterProperty':
        this.visit(node.parameter);
        return;
      case 'TSEnumDeclaration':
        this.declare(node.id, 'enum', node, this.scope);
        for (const member of node.members ?? []) if (member.initializer) this.visit(member.initializer);
        return;
      case 'TSModuleDeclaration':
        this.namespace(node);
        return;
      case 'TSImportEqualsDeclaration':
        this.declare(node.id, 'import', node, this.scope);
        if (node.moduleReference.type !== 'TSExternalModuleReference') this.entityName(node.moduleReference);
        return;
      default:
        this.children(node);
    }
  }

  protected block(node: t.BlockStatement, statements: t.Statement[]): void {
    this.scoped(node, () => this.statements(statements));
  }

  protected statements(statements: t.Statement[]): void {
    for (const statement of statements) this.visit(statement);
  }

  /** Defaults and computed keys of a declaring pattern: the expressions in it. */
  protected patternExpressions(pattern: Node): void {
    this.stack.push(pattern);
    switch (pattern.type) {
      case 'ObjectPattern':
        for (const property of pattern.properties) {
          if (property.type === 'RestElement') this.patternExpressions(property.argument);
          else {
            if (property.computed) this.visit(property.key);
            this.stack.push(property);
            this.patternExpressions(property.value);
            this.stack.pop();
          }
        }
        break;
      case 'ArrayPattern':
        for (const element of pattern.elements) if (element) this.patternExpressions(element);
        break;
      case 'AssignmentPattern': {
        this.patternExpressions(pattern.left);
        const outer = this.unit;
        this.unit = this.leafUnits.get(pattern.left) ?? outer;
        this.visit(pattern.right);
        this.unit = outer;
        break;
      }
      case 'RestElement':
        this.patternExpressions(pattern.argument);
        break;
      case 'TSParameterProperty':
        this.patternExpressions(pattern.parameter);
        break;
      default:
    }
    this.stack.pop();
  }

  protected variables(node: t.VariableDeclaration): void {
    if (node.declare) return;
    const kind: BindingKind = node.kind === 'var' ? 'var' : node.kind === 'let' ? 'let' : 'const';
    let scope = this.scope;
    if (kind === 'var') while (scope.kind === 'block' && !holdsVariables(scope) && scope.parent) scope = scope.parent;
    for (const declarator of node.declarations) {
      this.declarePattern(declarator.id, kind, declarator, scope);
      this.stack.push(declarator);
      if (declarator.init) this.noteElements(declarator);
      if (declarator.init)
        this.inVariable(declarator.id, declarator, unwrap(declarator.init), () => this.visit(declarator.init as Node));
      this.patternExpressions(declarator.id);
      this.stack.pop();
    }
  }

  /** What initializes a variable of the module is a unit, so that a use of the variable leads there. */
  protected inVariable(id: Node | null, node: Node, init: Node, body: () => void): void {
    const outer = this.unit;
    const own = outer === 0 && this.fn === null && this.scope === this.model.module;
    if (
      own &&
      (id === null || id.type === 'Identifier') &&
      !isFunction(init) &&
      init.type !== 'ClassExpression' &&
      !init.type.endsWith('Literal')
    ) {
      this.unit = this.openUnit('variable', id === null ? 'default' : id.name, node);
      if (init.type === 'NewExpression') this.model.instances.set(this.unit, init);
      else if (init.type === 'CallExpression' && this.model.sdk.size > 0) this.model.results.set(this.unit, init);
      else if (init.type === 'ArrayExpression') this.model.arrays.set(this.unit, init);
      const holds = collectionIn(init);
      if (holds) (this.model.units[this.unit] as Unit).holds = holds;
    }
    body();
    this.unit = outer;
  }

  /** A property of an object that a variable of the module holds: `helpers.priceOf`. */
  protected inProperty(node: t.ObjectProperty, body: () => void): void {
    const outer = this.unit;
    const value = unwrap(node.value);
    const name = keyName(node.key, node.computed);
    const { path, kind } = this.model.units[outer] as Unit;
    if (
      kind === 'variable' &&
      this.fn === null &&
      name !== null &&
      !isFunction(value) &&
      !value.type.endsWith('Literal') &&
      this.isPlainProperty()
    ) {
      this.unit = this.openUnit('variable', `${path}.${name}`, node);
      if (value.type === 'ArrayExpression') this.model.arrays.set(this.unit, value);
    }
    body();
    this.unit = outer;
  }

  /** Whether only object literals stand between the property that is being visited and the variable. */
  protected isPlainProperty(): boolean {
    let i = this.stack.length - 2;
    if (this.stack[i]?.type !== 'ObjectExpression') return false;
    for (i--; i >= 0 && isTransparent(this.stack[i] as Node); ) i--;
    const type = this.stack[i]?.type;
    return type === 'VariableDeclarator' || type === 'ExportDefaultDeclaration' || type === 'ObjectProperty';
  }

  protected functionNode(node: FunctionNode): void {
    // They run with the class around, not when the function is called.
    for (const param of node.params) this.parameterDecorators(param);
    const own = directiveOf(node);
    const marked = this.marked.get(node);
    const info = functionInfo(node, this.fn);
    info.inPlace = isCalledInPlace(node, this.stack);
    this.model.functions.push(info);
    const outerScope = this.scope;
    const outerUnit = this.unit;
    const outerTries = this.tries;
    this.tries = 0;
    const kind = own?.kind ?? marked?.kind;
    if (kind) {
      this.unit = this.openUnit(kind, '', node);
      this.model.directives.push({
        kind,
        node,
        info,
        outer: outerScope,
        ancestors: this.stack.slice(0, -1),
        directive: own?.node ?? (marked as { directive: Node }).directive,
        fromModule: !own,
        unit: this.unit,
      });
    } else if (this.runs.has(node)) this.openRun(node);
    else if (this.isTopLevel() && (this.fn === null || this.isInitializer(this.fn))) this.enterTopLevelUnit(node);

    let parent = outerScope;
    if (node.type === 'FunctionExpression' && node.id) {
      parent = new Scope(outerScope, 'block', node, this.fn);
      this.declare(node.id, 'function', node, parent);
    }
    const scope = new Scope(parent, 'function', node, info);
    info.scope = scope;
    this.scope = scope;
    const outerFn = this.fn;
    this.fn = info;
    for (const param of node.params) {
      this.declarePattern(param as Node, 'param', param as Node, scope);
      this.patternExpressions(param as Node);
    }
    if (node.body.type === 'BlockStatement') {
      // What a default names is not what the body declares.
      if (node.params.some((param) => param.type !== 'Identifier'))
        this.scope = new Scope(scope, 'block', node.body, info);
      this.stack.push(node.body);
      this.statements(node.body.body);
      this.stack.pop();
    } else {
      this.strayInArrow(node.body);
      this.visit(node.body);
    }
    this.scope = outerScope;
    this.fn = outerFn;
    this.unit = outerUnit;
    this.tries = outerTries;
  }

  protected isTopLevel(): boolean {
    const kind = this.model.units[this.unit]?.kind;
    return kind === 'module' || kind === 'variable' || this.unit === this.fieldUnit;
  }

  protected isInitializer(fn: FunctionInfo): boolean {
    return fn.parent === null && !isFunction(fn.node as Node);
  }

  protected enterTopLevelUnit(node: FunctionNode): void {
    if (node.type === 'ClassMethod' && node.kind === 'constructor') {
      const owner = placeOf(this.stack.slice(0, -2), this.stack[this.stack.length - 3] as Node).path;
      if (owner) this.unit = this.openUnit('method', `${owner}#constructor`, node);
      return;
    }
    const { path } = placeOf(this.stack.slice(0, -1), node);
    // `const priceOf = memoize(async () => …)`: the function is part of what makes the variable.
    if (path === null || path === this.model.units[this.unit]?.path) return;
    const method = node.type === 'ClassMethod' || node.type === 'ClassPrivateMethod' || node.type === 'ObjectMethod';
    const own = method && node.kind === 'set' ? this.setterPath(node, path) : path;
    this.unit = this.openUnit(method ? 'method' : 'function', own, node);
    if (this.stack.some(({ type }) => type === 'CallExpression' || type === 'NewExpression'))
      (this.model.units[this.unit] as Unit).given = true;
  }

  protected inRun(node: t.ObjectProperty, body: () => void): void {
    if (!this.runs.has(node)) return body();
    const outer = this.unit;
    this.openRun(node);
    const before = this.model.refs.length;
    body();
    // `run: handler` calls what it names.
    if (staticPath(node.value)) for (const ref of this.model.refs.slice(before)) ref.access = 'call';
    this.unit = outer;
  }

  protected openRun(node: t.ObjectProperty | FunctionNode): void {
    const site = this.runs.get(node) as DefinitionSite;
    this.unit = this.openUnit(
      site.kind === 'workflow' ? 'workflow-definition' : (site.kind as 'action' | 'agent'),
      '',
      node,
    );
    site.unit = this.unit;
  }

  /** A class field's value: runs with the instance (or the class) as `this`, once for each. */
  protected initializer(node: t.ClassProperty | t.ClassPrivateProperty | t.ClassAccessorProperty, value: Node): void {
    const info = functionInfo(node, this.fn);
    const outerFn = this.fn;
    const outerScope = this.scope;
    const outerUnit = this.unit;
    if (!node.static && !isFunction(unwrap(value))) this.enterField(node, unwrap(value));
    else if (node.static) this.enterStatic(node, unwrap(value));
    this.fn = info;
    this.scope = new Scope(outerScope, node.static ? 'block' : 'function', node, info);
    info.scope = this.scope;
    this.visit(value);
    this.scope = outerScope;
    this.fn = outerFn;
    this.unit = outerUnit;
    this.fieldUnit = -1;
  }

  /** `static readonly shared = new Api()` */
  protected enterStatic(node: t.ClassProperty | t.ClassPrivateProperty | t.ClassAccessorProperty, value: Node): void {
    if (value.type !== 'NewExpression' || node.type !== 'ClassProperty' || !this.currentClass) return;
    if (!this.isTopLevel() || this.fn !== null) return;
    const owner = placeOf(this.currentClass.ancestors, this.currentClass.node).path;
    const name = keyName(node.key, node.computed);
    if (owner === null || name === null) return;
    this.unit = this.openUnit('variable', `${owner}.${name}`, node);
    this.model.instances.set(this.unit, value);
  }

  /** The value of an instance's field is made when the instance is: it belongs to the constructor. */
  protected enterField(node: t.ClassProperty | t.ClassPrivateProperty | t.ClassAccessorProperty, value: Node): void {
    if (!this.isTopLevel() || this.fn !== null || !this.currentClass) return;
    const owner = placeOf(this.currentClass.ancestors, this.currentClass.node).path;
    if (owner === null) return;
    const name = node.type === 'ClassProperty' && isName(value) ? keyName(node.key, node.computed) : null;
    if (name !== null) {
      // `load = http`: another name of a function, which is called under it or not at all.
      this.unit = this.openUnit('variable', `${owner}#${name}`, node);
      return;
    }
    this.unit = this.openUnit('method', `${owner}#constructor`, node);
    this.fieldUnit = this.unit;
  }

  protected staticBlock(node: t.StaticBlock): void {
    const info = functionInfo(node, this.fn);
    const outerFn = this.fn;
    this.fn = info;
    this.scoped(node, () => this.statements(node.body));
    this.fn = outerFn;
    if (info.thisAt && this.currentClass) this.currentClass.open = true;
  }

  protected classNode(node: t.ClassDeclaration | t.ClassExpression): void {
    if ((node as t.ClassDeclaration).declare) return;
    if (node.type === 'ClassDeclaration' && node.id) this.declare(node.id, 'class', node, this.scope);
    this.decorators(node);
    const outerClass = this.currentClass;
    const site: ClassSite = {
      node,
      ancestors: this.stack.slice(0, -1),
      serialize: false,
      deserialize: false,
      deserializer: null,
      misplaced: [],
      open: (node.decorators?.length ?? 0) > 0,
    };
    this.currentClass = site;
    if (node.superClass) this.visit(node.superClass);
    this.scoped(node, () => {
      if (node.type === 'ClassExpression' && node.id) this.declare(node.id, 'class', node, this.scope);
      this.stack.push(node.body);
      for (const member of node.body.body) {
        this.noteSerialization(member, site);
        this.visit(member);
      }
      this.stack.pop();
    });
    this.currentClass = outerClass;
    this.model.classes.push(site);
  }

  protected noteSerialization(member: Node, site: ClassSite): void {
    const { key, computed, static: isStatic } = member as t.ClassMethod;
    if (!computed || !key) return;
    const found = this.symbolOf(key);
    if (!found) site.open ||= isStatic && keyName(key, computed) === null;
    else if (!isStatic) site.misplaced.push(member);
    else if (found === 'serialize') site.serialize = true;
    else {
      site.deserialize = true;
      site.deserializer = member.type === 'ClassMethod' ? member : null;
    }
  }

  protected namespace(node: t.TSModuleDeclaration): void {
    if (node.id.type === 'Identifier') this.declare(node.id, 'namespace', node, this.scope);
    const outer = this.scope;
    this.scope = new Scope(outer, 'namespace', node, this.fn);
    if (node.body.type === 'TSModuleBlock') {
      this.stack.push(node.body);
      this.statements(node.body.body as t.Statement[]);
      this.stack.pop();
    } else this.visit(node.body);
    this.scope = outer;
  }

  protected parameterDecorators(param: Node): void {
    this.decorators(param);
    if (param.type === 'AssignmentPattern') this.parameterDecorators(param.left);
    else if (param.type === 'TSParameterProperty') this.parameterDecorators(param.parameter);
  }

  protected decorators(node: Node): void {
    for (const decorator of (node as t.ClassMethod).decorators ?? []) this.visit(decorator);
  }
}

/** Where a `var` inside of it ends up. */
function holdsVariables(scope: Scope): boolean {
  return (
    scope.node.type === 'StaticBlock' || (scope.fn !== null && (scope.fn.node as FunctionNode).body === scope.node)
  );
}
