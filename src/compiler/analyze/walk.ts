import type * as t from '@babel/types';
import type { DirectiveKind, Unit } from '../facts.ts';
import { eachChild, type FunctionNode, isFunction, isTransparent, isTypeOnly, keyName, type Node, staticPath, unwrap } from './ast.ts';
import { directiveOf, isDirectiveLike } from './directives.ts';
import type { Binding, BindingKind, ClassSite, DefinitionSite, FunctionInfo, Model, ModuleReference, Ref } from './model.ts';
import { Scope } from './model.ts';
import { placeOf } from './names.ts';

/**
 * The one walk over a module. It builds scopes, collects every reference with its member path, and notes the functions,
 * classes, calls and statements that later passes judge. References are resolved at the end, so hoisting needs no care.
 */
export class Walker {
  readonly #model: Model;
  /** Functions that the module's own directive marks. */
  readonly #marked: ReadonlyMap<Node, { kind: DirectiveKind; directive: Node }>;
  /** Local names of `defineAction` and the like, and of namespaces that hold them. */
  readonly #definers: ReadonlyMap<string, Definer>;
  readonly #symbols: ReadonlyMap<string, 'serialize' | 'deserialize'>;
  readonly #stack: Node[] = [];
  /** The `run` options of definitions, each a unit of its own. */
  readonly #runs = new Map<Node, DefinitionSite>();
  #scope: Scope;
  #fn: FunctionInfo | null = null;
  #unit = 0;
  #statement = 0;
  #inExport = false;
  #class: ClassSite | null = null;

  constructor(
    model: Model,
    marked: ReadonlyMap<Node, { kind: DirectiveKind; directive: Node }>,
    definers: ReadonlyMap<string, Definer>,
    symbols: ReadonlyMap<string, 'serialize' | 'deserialize'>,
  ) {
    this.#model = model;
    this.#marked = marked;
    this.#definers = definers;
    this.#symbols = symbols;
    this.#scope = model.module;
  }

  run(): void {
    const { program } = this.#model;
    this.#stack.push(program);
    program.body.forEach((statement, i) => {
      this.#statement = i;
      this.#strayIn(program.body, i);
      this.#visit(statement);
    });
    this.#stack.pop();
    for (const ref of this.#model.refs) {
      ref.binding = ref.scope.find(ref.name);
      ref.binding?.refs.push(ref);
    }
  }

  #visit = (node: Node): void => {
    const type = node.type;
    if (type === 'Identifier') {
      if (node.name === 'arguments') this.#noteArguments(node);
      else this.#reference(node, 'read', false);
      return;
    }
    if (type.startsWith('TS') && isTypeOnly(node)) {
      if (type === 'TSEnumDeclaration' || type === 'TSModuleDeclaration') return;
      return;
    }
    this.#stack.push(node);
    this.#enter(node);
    this.#stack.pop();
  };

  #children(node: Node): void {
    eachChild(node, this.#visit);
  }

  #enter(node: Node): void {
    switch (node.type) {
      case 'MemberExpression':
      case 'OptionalMemberExpression':
        this.#visit(node.object);
        if (node.object.type === 'ThisExpression') this.#noteThisMember(node);
        if (node.computed) this.#visit(node.property);
        else if (node.property.type === 'PrivateName') this.#notePrivate(node);
        return;
      case 'FunctionDeclaration':
        if (node.id) this.#declare(node.id, 'function', node, this.#scope);
        this.#function(node);
        return;
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        this.#function(node);
        return;
      case 'ObjectMethod':
      case 'ClassMethod':
      case 'ClassPrivateMethod':
        if ((node as t.ObjectMethod).computed) this.#visit(node.key);
        this.#decorators(node);
        this.#function(node);
        return;
      case 'ObjectProperty':
        if (node.computed) this.#visit(node.key);
        this.#inRun(node, () => this.#inProperty(node, () => this.#visit(node.value)));
        return;
      case 'VariableDeclaration':
        this.#variables(node);
        return;
      case 'AssignmentExpression':
        this.#assignment(node);
        return;
      case 'UpdateExpression':
        this.#target(node.argument);
        return;
      case 'UnaryExpression':
        if (node.operator === 'delete') this.#target(node.argument);
        else if (node.operator === 'typeof') this.#probe(node.argument);
        else this.#visit(node.argument);
        return;
      case 'BlockStatement':
        this.#block(node, node.body);
        return;
      case 'ForStatement':
        this.#scoped(node, () => this.#children(node));
        return;
      case 'ForInStatement':
      case 'ForOfStatement':
        this.#scoped(node, () => {
          if (node.left.type === 'VariableDeclaration') this.#visit(node.left);
          else this.#target(node.left);
          this.#visit(node.right);
          this.#visit(node.body);
        });
        return;
      case 'SwitchStatement':
        this.#visit(node.discriminant);
        this.#scoped(node, () => {
          for (const branch of node.cases) this.#visit(branch);
        });
        return;
      case 'CatchClause':
        this.#scoped(node, () => {
          if (node.param) {
            this.#declarePattern(node.param as t.LVal, 'catch', node, this.#scope);
            this.#patternExpressions(node.param as t.LVal);
          }
          this.#visit(node.body);
        });
        return;
      case 'LabeledStatement':
        this.#visit(node.body);
        return;
      case 'BreakStatement':
      case 'ContinueStatement':
      case 'MetaProperty':
      case 'ImportDeclaration':
      case 'ExportAllDeclaration':
        return;
      case 'ClassDeclaration':
      case 'ClassExpression':
        this.#classNode(node);
        return;
      case 'ClassProperty':
      case 'ClassPrivateProperty':
      case 'ClassAccessorProperty':
        if ((node as t.ClassProperty).computed) this.#visit(node.key);
        this.#decorators(node);
        if (node.value) this.#initializer(node, node.value);
        return;
      case 'StaticBlock':
        this.#staticBlock(node);
        return;
      case 'ThisExpression':
        this.#noteThis(node);
        return;
      case 'Super':
        this.#noteSuper(node);
        return;
      case 'PrivateName':
        this.#notePrivate(node);
        return;
      case 'CallExpression':
      case 'OptionalCallExpression':
        this.#call(node);
        return;
      case 'ImportExpression':
        this.#require(node, node.source, 'dynamic');
        this.#children(node);
        return;
      case 'ExportNamedDeclaration':
        if (node.declaration) this.#visit(node.declaration);
        else if (!node.source && node.exportKind !== 'type') {
          this.#inExport = true;
          for (const specifier of node.specifiers)
            if (specifier.type === 'ExportSpecifier' && specifier.exportKind !== 'type') this.#visit(specifier.local);
          this.#inExport = false;
        }
        return;
      case 'ExportDefaultDeclaration':
        if (/Declaration$/.test(node.declaration.type)) this.#visit(node.declaration as Node);
        else this.#inVariable(null, node, unwrap(node.declaration), () => this.#visit(node.declaration as Node));
        return;
      case 'JSXOpeningElement':
        this.#jsxName(node.name);
        for (const attribute of node.attributes) this.#visit(attribute);
        return;
      case 'JSXClosingElement':
        return;
      case 'JSXAttribute':
        if (node.value) this.#visit(node.value);
        return;
      case 'TSParameterProperty':
        this.#visit(node.parameter);
        return;
      case 'TSEnumDeclaration':
        this.#declare(node.id, 'enum', node, this.#scope);
        for (const member of node.members ?? []) if (member.initializer) this.#visit(member.initializer);
        return;
      case 'TSModuleDeclaration':
        this.#namespace(node);
        return;
      case 'TSImportEqualsDeclaration':
        this.#declare(node.id, 'import', node, this.#scope);
        if (node.moduleReference.type !== 'TSExternalModuleReference') this.#entityName(node.moduleReference);
        return;
      default:
        this.#children(node);
    }
  }

  // ---------------------------------------------------------------- scopes

  #scoped(node: Node, body: () => void): void {
    const outer = this.#scope;
    this.#scope = new Scope(outer, 'block', node, this.#fn);
    body();
    this.#scope = outer;
  }

  #block(node: t.BlockStatement, statements: t.Statement[]): void {
    this.#scoped(node, () => this.#statements(statements));
  }

  #statements(statements: t.Statement[]): void {
    for (let i = 0; i < statements.length; i++) {
      this.#strayIn(statements, i);
      this.#visit(statements[i] as Node);
    }
  }

  #declare(id: Node, kind: BindingKind, declaration: Node, scope: Scope): Binding {
    const name = (id as t.Identifier).name;
    return scope.declare({ name, kind, scope, node: id, declaration, refs: [] });
  }

  #declarePattern(pattern: Node, kind: BindingKind, declaration: Node, scope: Scope): void {
    switch (pattern.type) {
      case 'Identifier':
        this.#declare(pattern, kind, declaration, scope);
        return;
      case 'ObjectPattern':
        for (const property of pattern.properties)
          this.#declarePattern(property.type === 'RestElement' ? property.argument : property.value, kind, declaration, scope);
        return;
      case 'ArrayPattern':
        for (const element of pattern.elements) if (element) this.#declarePattern(element, kind, declaration, scope);
        return;
      case 'AssignmentPattern':
        this.#declarePattern(pattern.left, kind, declaration, scope);
        return;
      case 'RestElement':
        this.#declarePattern(pattern.argument, kind, declaration, scope);
        return;
      case 'TSParameterProperty':
        this.#declarePattern(pattern.parameter, kind, declaration, scope);
        return;
      default:
    }
  }

  /** Defaults and computed keys of a declaring pattern: the expressions in it. */
  #patternExpressions(pattern: Node): void {
    this.#stack.push(pattern);
    switch (pattern.type) {
      case 'ObjectPattern':
        for (const property of pattern.properties) {
          if (property.type === 'RestElement') this.#patternExpressions(property.argument);
          else {
            if (property.computed) this.#visit(property.key);
            this.#stack.push(property);
            this.#patternExpressions(property.value);
            this.#stack.pop();
          }
        }
        break;
      case 'ArrayPattern':
        for (const element of pattern.elements) if (element) this.#patternExpressions(element);
        break;
      case 'AssignmentPattern':
        this.#patternExpressions(pattern.left);
        this.#visit(pattern.right);
        break;
      case 'RestElement':
        this.#patternExpressions(pattern.argument);
        break;
      case 'TSParameterProperty':
        this.#patternExpressions(pattern.parameter);
        break;
      default:
    }
    this.#stack.pop();
  }

  #variables(node: t.VariableDeclaration): void {
    if (node.declare) return;
    const kind: BindingKind = node.kind === 'var' ? 'var' : node.kind === 'let' ? 'let' : 'const';
    let scope = this.#scope;
    if (kind === 'var') while (scope.kind === 'block' && scope.node.type !== 'StaticBlock' && scope.parent) scope = scope.parent;
    for (const declarator of node.declarations) {
      this.#declarePattern(declarator.id, kind, declarator, scope);
      this.#stack.push(declarator);
      this.#patternExpressions(declarator.id);
      if (declarator.init) this.#inVariable(declarator.id, declarator, unwrap(declarator.init), () => this.#visit(declarator.init as Node));
      this.#stack.pop();
    }
  }

  /** What initializes a variable of the module is a unit, so that a use of the variable leads there. */
  #inVariable(id: Node | null, node: Node, init: Node, body: () => void): void {
    const outer = this.#unit;
    const own = outer === 0 && this.#fn === null && this.#scope === this.#model.module;
    if (own && (id === null || id.type === 'Identifier') && !isFunction(init) && init.type !== 'ClassExpression' && !init.type.endsWith('Literal')) {
      this.#unit = this.#openUnit('variable', id === null ? 'default' : id.name, node);
      if (init.type === 'NewExpression') this.#model.instances.set(this.#unit, init);
    }
    body();
    this.#unit = outer;
  }

  /** A property of an object that a variable of the module holds: `helpers.priceOf`. */
  #inProperty(node: t.ObjectProperty, body: () => void): void {
    const outer = this.#unit;
    const value = unwrap(node.value);
    const name = keyName(node.key, node.computed);
    const { path, kind } = this.#model.units[outer] as Unit;
    if (kind === 'variable' && this.#fn === null && name !== null && !isFunction(value) && !value.type.endsWith('Literal') && this.#isPlainProperty())
      this.#unit = this.#openUnit('variable', `${path}.${name}`, node);
    body();
    this.#unit = outer;
  }

  /** Whether only object literals stand between the property that is being visited and the variable. */
  #isPlainProperty(): boolean {
    let i = this.#stack.length - 2;
    if (this.#stack[i]?.type !== 'ObjectExpression') return false;
    for (i--; i >= 0 && isTransparent(this.#stack[i] as Node); ) i--;
    const type = this.#stack[i]?.type;
    return type === 'VariableDeclarator' || type === 'ExportDefaultDeclaration' || type === 'ObjectProperty';
  }

  #function(node: FunctionNode): void {
    const own = directiveOf(node);
    const marked = this.#marked.get(node);
    const info: FunctionInfo = {
      node,
      parent: this.#fn,
      scope: null,
      arrow: node.type === 'ArrowFunctionExpression',
      thisAt: null,
      argumentsAt: null,
      superAt: null,
      privateAt: null,
    };
    this.#model.functions.push(info);
    const outerScope = this.#scope;
    const outerUnit = this.#unit;
    const kind = own?.kind ?? marked?.kind;
    if (kind) {
      this.#unit = this.#openUnit(kind, '', node);
      this.#model.directives.push({
        kind,
        node,
        info,
        outer: outerScope,
        ancestors: this.#stack.slice(0, -1),
        directive: own?.node ?? (marked as { directive: Node }).directive,
        fromModule: !own,
        unit: this.#unit,
      });
    } else if (this.#runs.has(node)) this.#openRun(node);
    else if (this.#isTopLevel() && (this.#fn === null || this.#isInitializer(this.#fn))) this.#enterTopLevelUnit(node);

    let parent = outerScope;
    if (node.type === 'FunctionExpression' && node.id) {
      parent = new Scope(outerScope, 'block', node, this.#fn);
      this.#declare(node.id, 'function', node, parent);
    }
    const scope = new Scope(parent, 'function', node, info);
    info.scope = scope;
    this.#scope = scope;
    const outerFn = this.#fn;
    this.#fn = info;
    for (const param of node.params) {
      this.#declarePattern(param as Node, 'param', param as Node, scope);
      this.#patternExpressions(param as Node);
    }
    if (node.body.type === 'BlockStatement') {
      this.#stack.push(node.body);
      this.#statements(node.body.body);
      this.#stack.pop();
    } else this.#visit(node.body);
    this.#scope = outerScope;
    this.#fn = outerFn;
    this.#unit = outerUnit;
  }

  #isTopLevel(): boolean {
    const kind = this.#model.units[this.#unit]?.kind;
    return kind === 'module' || kind === 'variable';
  }

  #isInitializer(fn: FunctionInfo): boolean {
    return fn.parent === null && !isFunction(fn.node as Node);
  }

  #enterTopLevelUnit(node: FunctionNode): void {
    if (node.type === 'ClassMethod' && node.kind === 'constructor') {
      const owner = placeOf(this.#stack.slice(0, -2), this.#stack[this.#stack.length - 3] as Node).path;
      if (owner) this.#unit = this.#openUnit('method', `${owner}#constructor`, node);
      return;
    }
    const { path } = placeOf(this.#stack.slice(0, -1), node);
    // `const priceOf = memoize(async () => …)`: the function is part of what makes the variable.
    if (path === null || path === this.#model.units[this.#unit]?.path) return;
    const method = node.type === 'ClassMethod' || node.type === 'ClassPrivateMethod' || node.type === 'ObjectMethod';
    this.#unit = this.#openUnit(method ? 'method' : 'function', path, node);
  }

  #openUnit(kind: Unit['kind'], path: string, node: Node): number {
    const { units, positions } = this.#model;
    const named = (node as t.FunctionExpression).id ?? (node as t.ObjectMethod).key ?? node;
    const start = named.start as number;
    units.push({
      path,
      kind,
      span: positions.span(node.start as number, node.end as number),
      nameSpan: named === node ? positions.span(start, firstTokenEnd(this.#model.source, start)) : positions.span(start, named.end as number),
      uses: [],
    });
    return units.length - 1;
  }

  #inRun(node: t.ObjectProperty, body: () => void): void {
    if (!this.#runs.has(node)) return body();
    const outer = this.#unit;
    this.#openRun(node);
    const before = this.#model.refs.length;
    body();
    // `run: handler` calls what it names.
    if (staticPath(node.value)) for (const ref of this.#model.refs.slice(before)) ref.access = 'call';
    this.#unit = outer;
  }

  #openRun(node: t.ObjectProperty | FunctionNode): void {
    const site = this.#runs.get(node) as DefinitionSite;
    this.#unit = this.#openUnit(site.kind === 'workflow' ? 'workflow-definition' : (site.kind as 'action' | 'agent'), '', node);
    site.unit = this.#unit;
  }

  /** A class field's value: runs with the instance (or the class) as `this`, once for each. */
  #initializer(node: t.ClassProperty | t.ClassPrivateProperty | t.ClassAccessorProperty, value: Node): void {
    const info: FunctionInfo = {
      node, parent: this.#fn, scope: null, arrow: false, thisAt: null, argumentsAt: null, superAt: null, privateAt: null,
    };
    const outerFn = this.#fn;
    const outerScope = this.#scope;
    this.#fn = info;
    this.#scope = new Scope(outerScope, node.static ? 'block' : 'function', node, info);
    info.scope = this.#scope;
    this.#visit(value);
    this.#scope = outerScope;
    this.#fn = outerFn;
  }

  #staticBlock(node: t.StaticBlock): void {
    const info: FunctionInfo = {
      node, parent: this.#fn, scope: null, arrow: false, thisAt: null, argumentsAt: null, superAt: null, privateAt: null,
    };
    const outerFn = this.#fn;
    this.#fn = info;
    this.#scoped(node, () => this.#statements(node.body));
    this.#fn = outerFn;
  }

  #classNode(node: t.ClassDeclaration | t.ClassExpression): void {
    if ((node as t.ClassDeclaration).declare) return;
    if (node.type === 'ClassDeclaration' && node.id) this.#declare(node.id, 'class', node, this.#scope);
    this.#decorators(node);
    const outerClass = this.#class;
    const site: ClassSite = { node, ancestors: this.#stack.slice(0, -1), serialize: false, deserialize: false };
    this.#class = site;
    if (node.superClass) this.#visit(node.superClass);
    this.#scoped(node, () => {
      if (node.type === 'ClassExpression' && node.id) this.#declare(node.id, 'class', node, this.#scope);
      this.#stack.push(node.body);
      for (const member of node.body.body) {
        this.#noteSerialization(member, site);
        this.#visit(member);
      }
      this.#stack.pop();
    });
    this.#class = outerClass;
    this.#model.classes.push(site);
  }

  #noteSerialization(member: Node, site: ClassSite): void {
    const { key, computed } = member as t.ClassMethod;
    if (!computed || !key) return;
    const found = this.#symbolOf(key);
    if (!found || !(member as t.ClassMethod).static) return;
    if (found === 'serialize') site.serialize = true;
    else site.deserialize = true;
  }

  #symbolOf(key: Node): 'serialize' | 'deserialize' | null {
    const inner = unwrap(key);
    if (inner.type === 'Identifier') return this.#symbols.get(inner.name) ?? null;
    const path = staticPath(inner);
    if (path) return this.#symbols.get(path.join('.')) ?? null;
    return symbolFor(inner);
  }

  #namespace(node: t.TSModuleDeclaration): void {
    if (node.id.type === 'Identifier') this.#declare(node.id, 'namespace', node, this.#scope);
    const outer = this.#scope;
    this.#scope = new Scope(outer, 'namespace', node, this.#fn);
    if (node.body.type === 'TSModuleBlock') {
      this.#stack.push(node.body);
      this.#statements(node.body.body as t.Statement[]);
      this.#stack.pop();
    } else this.#visit(node.body);
    this.#scope = outer;
  }

  #decorators(node: Node): void {
    for (const decorator of (node as t.ClassMethod).decorators ?? []) this.#visit(decorator);
  }

  // ------------------------------------------------------------ references

  #reference(node: t.Identifier | t.JSXIdentifier, access: Ref['access'], rebinds: boolean): void {
    const stack = this.#stack;
    const path = [node.name];
    let end = node.end as number;
    let child: Node = node;
    let i = stack.length - 1;
    for (; i >= 0; i--) {
      const parent = stack[i] as Node;
      if (isTransparent(parent)) child = parent;
      else if ((parent.type === 'MemberExpression' || parent.type === 'OptionalMemberExpression') && parent.object === child) {
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
      if ((parent.type === 'CallExpression' || parent.type === 'OptionalCallExpression') && parent.callee === child) kind = 'call';
      else if (parent.type === 'TaggedTemplateExpression' && parent.tag === child) kind = 'call';
      else if (parent.type === 'NewExpression' && parent.callee === child) kind = 'new';
    }
    const ref: Ref = {
      name: node.name, node, scope: this.#scope, fn: this.#fn, binding: null, path, access: kind, rebinds, end,
      unit: this.#unit, statement: this.#statement, exported: this.#inExport, silent: false,
    };
    this.#model.refs.push(ref);
    if (kind === 'new') this.#noteInstanceMember(ref, i);
    if (parent?.type === 'VariableDeclarator' && parent.init === child && parent.id.type === 'ObjectPattern')
      for (const property of parent.id.properties) {
        if (property.type === 'RestElement') continue;
        const name = keyName(property.key, property.computed);
        if (name === null) continue;
        this.#model.refs.push({ ...ref, path: [...path, name], unit: this.#aliasUnit(property) });
        // What is taken of it is said by name.
        ref.silent = !parent.id.properties.some(({ type }) => type === 'RestElement');
      }
  }

  /** `new Order(id).total()`: a member of the instance. */
  #noteInstanceMember(ref: Ref, index: number): void {
    let child = this.#stack[index] as Node;
    for (let i = index - 1; i >= 0; i--) {
      const parent = this.#stack[i] as Node;
      if (isTransparent(parent)) {
        child = parent;
        continue;
      }
      if ((parent.type !== 'MemberExpression' && parent.type !== 'OptionalMemberExpression') || parent.object !== child) return;
      const name = keyName(parent.property, parent.computed);
      const call = this.#stack[i - 1] as t.CallExpression | undefined;
      const access = call?.type.endsWith('CallExpression') && call.callee === parent ? 'call' : 'read';
      if (name !== null) this.#model.refs.push({ ...ref, path: [...ref.path, `#${name}`], access, end: parent.end as number });
      return;
    }
  }

  /** `const { readFile } = fs` at the top level: each name is a variable of the module. */
  #aliasUnit(property: t.ObjectProperty): number {
    const value = property.value.type === 'AssignmentPattern' ? property.value.left : property.value;
    const own = this.#unit === 0 && this.#fn === null && this.#scope === this.#model.module && value.type === 'Identifier';
    return own ? this.#openUnit('variable', value.name, value) : this.#unit;
  }

  /** `typeof fetch` asks whether there is one and does nothing with it. */
  #probe(node: Node): void {
    const before = this.#model.refs.length;
    this.#visit(node);
    const [ref] = this.#model.refs.slice(before);
    if (ref && ref.end === unwrap(node).end) ref.silent = true;
  }

  /** What an assignment writes: a variable, a member, or a pattern of them. */
  #target(node: Node): void {
    const inner = unwrap(node);
    switch (inner.type) {
      case 'Identifier':
        this.#reference(inner, 'write', true);
        return;
      case 'MemberExpression':
      case 'OptionalMemberExpression': {
        const before = this.#model.refs.length;
        this.#visit(inner);
        const root = this.#model.refs[before];
        if (root && root.node.start === inner.start) root.access = 'write';
        return;
      }
      case 'ObjectPattern':
        for (const property of inner.properties) {
          if (property.type === 'RestElement') this.#target(property.argument);
          else {
            if (property.computed) this.#visit(property.key);
            this.#target(property.value);
          }
        }
        return;
      case 'ArrayPattern':
        for (const element of inner.elements) if (element) this.#target(element);
        return;
      case 'AssignmentPattern':
        this.#target(inner.left);
        this.#stack.push(inner);
        this.#visit(inner.right);
        this.#stack.pop();
        return;
      case 'RestElement':
        this.#target(inner.argument);
        return;
      default:
        this.#visit(inner);
    }
  }

  #assignment(node: t.AssignmentExpression): void {
    const path = staticPath(node.left);
    if (path && node.operator === '=') {
      if (path[0] === 'module' || path[0] === 'exports') this.#model.usesCommonJs = true;
      if (path.length > 1) this.#model.options.push({ path, value: node.right, node, scope: this.#scope });
    }
    this.#target(node.left);
    this.#visit(node.right);
  }

  #jsxName(name: Node): void {
    if (name.type === 'JSXIdentifier') {
      if (/^[A-Z_$]/.test(name.name)) this.#reference(name, 'call', false);
    } else if (name.type === 'JSXMemberExpression') {
      let root: Node = name;
      while (root.type === 'JSXMemberExpression') root = root.object;
      if (root.type === 'JSXIdentifier') this.#reference(root, 'call', false);
    }
  }

  #entityName(node: Node): void {
    let root = node;
    while (root.type === 'TSQualifiedName') root = root.left;
    if (root.type === 'Identifier') this.#reference(root, 'read', false);
  }

  #call(node: t.CallExpression | t.OptionalCallExpression): void {
    const callee = unwrap(node.callee as Node);
    if (callee.type === 'Import') this.#require(node as t.CallExpression, node.arguments[0] as Node | undefined, 'dynamic');
    else if (callee.type === 'Identifier' && callee.name === 'require' && !this.#scope.find('require'))
      this.#require(node as t.CallExpression, node.arguments[0] as Node | undefined, 'require');
    else this.#definition(node as t.CallExpression, callee);
    this.#children(node);
  }

  #definition(node: t.CallExpression, callee: Node): void {
    const path = staticPath(callee);
    if (!path) return;
    const definer = this.#definers.get(path[0] as string);
    if (!definer) return;
    const kind = definer === 'namespace' ? (path.length === 2 ? DEFINERS[path[1] as string] : undefined) : path.length === 1 ? definer : undefined;
    if (!kind || this.#scope.find(path[0] as string)?.kind !== 'import') return;
    const site: DefinitionSite = { kind, call: node, ancestors: this.#stack.slice(0, -1), unit: -1 };
    const options = node.arguments[0] && unwrap(node.arguments[0] as Node);
    if (options?.type === 'ObjectExpression' && kind !== 'credential')
      for (const property of options.properties)
        if (property.type !== 'SpreadElement' && keyName(property.key, property.computed) === 'run') this.#runs.set(property, site);
    this.#model.definitions.push(site);
  }

  #require(node: t.CallExpression | t.ImportExpression, argument: Node | undefined, form: ModuleReference['form']): void {
    const inner = argument && unwrap(argument);
    let specifier: string | null = null;
    if (inner?.type === 'StringLiteral') specifier = inner.value;
    else if (inner?.type === 'TemplateLiteral' && inner.expressions.length === 0) specifier = inner.quasis[0]?.value.cooked ?? null;
    if (form === 'require') this.#model.usesCommonJs = true;
    const path: string[] = [];
    const locals: ModuleReference['locals'] = [];
    let child: Node = node;
    for (let i = this.#stack.length - 2; i >= 0; i--) {
      const parent = this.#stack[i] as Node;
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
    this.#model.requires.push({ specifier, form, node, path, unit: this.#unit, locals, topLevel: this.#fn === null && this.#scope.isStatic });
  }

  // ------------------------------------------------------------ this & co.

  #noteThis(node: Node): void {
    for (let fn = this.#fn; fn; fn = fn.arrow ? fn.parent : null) fn.thisAt ??= node;
  }

  /** `this.save()` in a class: a mention of its method. */
  #noteThisMember(node: t.MemberExpression | t.OptionalMemberExpression): void {
    const name = keyName(node.property, node.computed);
    if (!this.#class || name === null) return;
    for (let i = this.#stack.length - 2; i >= 0; i--) {
      const around = this.#stack[i] as Node;
      if (around.type === 'FunctionExpression' || around.type === 'FunctionDeclaration' || around.type === 'ObjectMethod') return;
      if (this.#stack[i - 1] !== this.#class.node.body) continue;
      const isStatic = around.type === 'StaticBlock' || Boolean((around as t.ClassMethod).static);
      const parent = this.#stack[this.#stack.length - 2] as Node;
      this.#model.thisMembers.push({ site: this.#class, name, isStatic, node, parent, unit: this.#unit });
      return;
    }
  }

  #noteArguments(node: Node): void {
    if (this.#scope.find('arguments')) return;
    for (let fn = this.#fn; fn; fn = fn.arrow ? fn.parent : null) fn.argumentsAt ??= node;
  }

  #noteSuper(node: Node): void {
    for (let fn = this.#fn; fn; fn = fn.arrow ? fn.parent : null) fn.superAt ??= node;
  }

  #notePrivate(node: Node): void {
    for (let fn = this.#fn; fn; fn = fn.parent) fn.privateAt ??= node;
  }

  // ------------------------------------------------------------ directives

  #strayIn(statements: readonly Node[], index: number): void {
    const node = statements[index] as Node;
    if (node.type !== 'ExpressionStatement') return;
    const inner = unwrap(node.expression);
    const template = inner.type === 'TemplateLiteral';
    let text: string | null = null;
    if (inner.type === 'StringLiteral') text = inner.value;
    else if (inner.type === 'TemplateLiteral' && inner.expressions.length === 0) text = inner.quasis[0]?.value.cooked ?? null;
    if (text === null || !isDirectiveLike(text)) return;
    this.#model.strays.push({ node, text, template, first: index === 0, ancestors: this.#stack.slice() });
  }
}

export type Definer = 'action' | 'workflow' | 'agent' | 'credential' | 'namespace';

export const DEFINERS: Record<string, 'action' | 'workflow' | 'agent' | 'credential' | undefined> = {
  defineAction: 'action',
  defineWorkflow: 'workflow',
  defineAgent: 'agent',
  defineCredential: 'credential',
};

/** `Symbol.for('pawl-serialize')` and its siblings. */
export function symbolFor(node: Node): 'serialize' | 'deserialize' | null {
  if (node.type !== 'CallExpression' || staticPath(node.callee as Node)?.join('.') !== 'Symbol.for') return null;
  const argument = node.arguments[0];
  if (argument?.type !== 'StringLiteral') return null;
  const match = /^(?:pawl|workflow)-(serialize|deserialize)$/.exec(argument.value);
  return match ? (match[1] as 'serialize' | 'deserialize') : null;
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

function firstTokenEnd(source: string, start: number): number {
  const match = /^(?:[\w$]+|.)/u.exec(source.slice(start, start + 64));
  return start + (match?.[0].length ?? 1);
}
