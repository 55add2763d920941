import type * as t from '@babel/types';
import { isTypeOnly, type Node, staticPath, unwrap } from '../analyze/ast.ts';
import { bindingNames } from '../analyze/definitions.ts';
import type { DirectiveFunction } from '../analyze/functions.ts';
import type { Binding, Ref } from '../analyze/model.ts';
import type { Transform } from './transform.ts';

/**
 * Takes out of a target what only removed code used.
 *
 * In the `workflow` target that is a sweep from what workflows and exports need: imports, helpers and a top-level
 * `const client = new Sdk()` of step bodies leave, and so do statements that only set up such things. A statement stays when
 * it changes something that stays: `dayjs.extend(utc)`, `table.x = 1`. Bare imports leave: a workflow has no side effects.
 * In the other targets only what lost its last use leaves; everything else is the user's program.
 */
export function prune(transform: Transform): void {
  const program = transform.analysis.model.program;
  const pruner = new Pruner(transform, program);
  if (transform.mode === 'workflow' || transform.mode === 'schemas') pruner.sweep();
  else pruner.dropOrphans();
}

/** What JSX calls without naming it, when it is compiled the classic way. */
const JSX_FACTORIES = new Set(['React', 'h', 'Fragment']);

interface Item {
  node: Node;
  statement: Node;
  bindings: Binding[];
  refs: Ref[];
  kind: 'import' | 'bare-import' | 'declaration' | 'effect';
  /** Must stay: exported, or registered by its id. */
  root: boolean;
  /** Had references before the target took code away. */
  hadUses: boolean;
}

class Pruner {
  readonly #transform: Transform;
  readonly #program: t.Program;
  readonly #items: Item[] = [];
  readonly #owner = new Map<Binding, Item>();
  readonly #replaced = new Set<Node>();

  constructor(transform: Transform, program: t.Program) {
    this.#transform = transform;
    this.#program = program;
    if (transform.mode === 'workflow' || transform.mode === 'schemas')
      for (const fn of transform.analysis.functions)
        if (fn.fact.kind === 'step' && fn.fact.placement === 'declaration') this.#replaced.add(fn.site.node as Node);
    for (const statement of program.body) this.#collect(statement);
    this.#assignRefs();
  }

  // ------------------------------------------------------------- collecting

  #collect(statement: t.Statement): void {
    if (statement.type === 'ImportDeclaration') {
      if (statement.importKind === 'type') return;
      if (statement.specifiers.length === 0) this.#add(statement, statement, [], 'bare-import', false);
      for (const specifier of statement.specifiers)
        if ((specifier as t.ImportSpecifier).importKind !== 'type')
          this.#add(specifier, statement, [specifier.local.name], 'import', false);
      return;
    }
    if (statement.type === 'TSImportEqualsDeclaration')
      return this.#add(statement, statement, [statement.id.name], 'import', statement.isExport);
    const exported = statement.type === 'ExportNamedDeclaration';
    const node: Node = exported && statement.declaration ? statement.declaration : statement;
    if (isTypeOnly(node) || (node as t.VariableDeclaration).declare) return;
    switch (node.type) {
      case 'VariableDeclaration':
        for (const declarator of node.declarations)
          this.#add(
            declarator,
            statement,
            bindingNames(declarator.id),
            'declaration',
            exported || this.#registers(declarator),
          );
        return;
      case 'FunctionDeclaration':
      case 'ClassDeclaration':
      case 'TSEnumDeclaration':
      case 'TSModuleDeclaration':
        this.#add(
          node,
          statement,
          node.id?.type === 'Identifier' ? [node.id.name] : [],
          'declaration',
          exported || this.#registers(node),
        );
        return;
      case 'ExportNamedDeclaration':
      case 'ExportDefaultDeclaration':
      case 'ExportAllDeclaration':
      case 'TSExportAssignment': {
        const inner = (node as t.ExportDefaultDeclaration).declaration as Node | undefined;
        const name =
          inner && (inner.type === 'FunctionDeclaration' || inner.type === 'ClassDeclaration')
            ? inner.id?.name
            : undefined;
        this.#add(node, statement, name === undefined ? [] : [name], 'declaration', true);
        return;
      }
      default:
        this.#add(statement, statement, [], 'effect', this.#isCommonJsExport(statement) || this.#registers(statement));
    }
  }

  #add(node: Node, statement: Node, names: string[], kind: Item['kind'], root: boolean): void {
    const bindings = names.flatMap((name) => this.#transform.analysis.model.module.bindings?.get(name) ?? []);
    const implied = /x$/.test(this.#transform.analysis.model.file) && names.some((name) => JSX_FACTORIES.has(name));
    const item: Item = { node, statement, bindings, refs: [], kind, root: root || implied, hadUses: false };
    this.#items.push(item);
    for (const binding of bindings) if (!this.#owner.has(binding)) this.#owner.set(binding, item);
  }

  /**
   * Holds what the target registers by its id, whether it is exported or not: workflows and classes whose instances cross
   * boundaries, and outside of the workflow target all.
   */
  #registers(node: Node): boolean {
    const { functions, definitions } = this.#transform.analysis;
    const { mode } = this.#transform;
    const within = (offset: number) => (node.start as number) <= offset && offset < (node.end as number);
    const sweeping = mode === 'workflow' || mode === 'schemas';
    if (mode !== 'schemas' && this.#transform.analysis.classes.some(({ fact }) => within(fact.span.start))) return true;
    const stays = ({ fact, home }: DirectiveFunction) => fact.placement !== 'hoisted' || home !== this.#program;
    if (functions.some((fn) => (fn.fact.kind === 'workflow' || !sweeping) && stays(fn) && within(fn.fact.span.start)))
      return true;
    return definitions.some(
      ({ fact }) =>
        (fact.kind === 'workflow' || mode !== 'workflow') && fact.kind !== 'credential' && within(fact.span.start),
    );
  }

  #isCommonJsExport(statement: t.Statement): boolean {
    if (statement.type !== 'ExpressionStatement' || statement.expression.type !== 'AssignmentExpression') return false;
    const path = staticPath(statement.expression.left);
    return path?.[0] === 'exports' || (path?.[0] === 'module' && path[1] === 'exports');
  }

  /** References that are left once the target's cuts are made, by the item that they stand in. */
  #assignRefs(): void {
    const { model } = this.#transform.analysis;
    const moved = this.#movedCode();
    if (moved) this.#items.push(moved.item);
    const byStatement = new Map<Node, Item[]>();
    for (const item of this.#items) {
      const list = byStatement.get(item.statement);
      if (list) list.push(item);
      else byStatement.set(item.statement, [item]);
    }
    for (const ref of model.refs) {
      if (ref.binding?.scope !== model.module) continue;
      const offset = ref.node.start as number;
      const target = this.#owner.get(ref.binding);
      if (target) target.hadUses = true;
      if (moved?.holds(offset)) {
        moved.item.refs.push(ref);
        continue;
      }
      if (this.#transform.edits.isCut(offset)) continue;
      const statement = this.#program.body[ref.statement] as Node;
      const items = byStatement.get(statement) ?? [];
      const item =
        items.length === 1
          ? items[0]
          : items.find(({ node }) => (node.start as number) <= offset && offset < (node.end as number));
      item?.refs.push(ref);
    }
  }

  /** Nested steps leave what they stand in, so they keep what they use even where that goes. */
  #movedCode(): { item: Item; holds(offset: number): boolean } | null {
    const { analysis, mode } = this.#transform;
    if (mode !== 'step') return null;
    const ranges = analysis.functions.filter(({ fact }) => fact.kind === 'step' && fact.placement === 'hoisted');
    if (ranges.length === 0) return null;
    const node = this.#program;
    return {
      item: { node, statement: node, bindings: [], refs: [], kind: 'effect', root: true, hadUses: false },
      holds: (offset) => ranges.some(({ fact }) => fact.text.start <= offset && offset < fact.text.end),
    };
  }

  // ---------------------------------------------------------------- sweeping

  sweep(): void {
    const live = new Set<Item>();
    const mark = (item: Item): void => {
      if (live.has(item)) return;
      live.add(item);
      for (const ref of item.refs) {
        const owner = this.#owner.get(ref.binding as Binding);
        if (owner) mark(owner);
      }
    };
    for (const item of this.#items) if (item.root) mark(item);
    const effects = this.#items.filter((item) => item.kind === 'effect' && !item.root);
    for (let grew = true; grew; ) {
      grew = false;
      for (const item of effects) {
        if (live.has(item) || !this.#changesSomethingOf(item, live)) continue;
        mark(item);
        grew = true;
      }
    }
    this.#remove(this.#items.filter((item) => !live.has(item)));
    for (const item of live)
      if (item.node.type === 'VariableDeclarator' && item.node.init && !this.#registers(item.node))
        this.#markPure(item.node.init);
  }

  /** Whether a statement changes (assigns to, calls a method of, or hands to a function) something that stays. */
  #changesSomethingOf(item: Item, live: ReadonlySet<Item>): boolean {
    const isLive = (name: string): boolean => {
      const binding = this.#transform.analysis.model.module.bindings?.get(name);
      const owner = binding && this.#owner.get(binding);
      return owner !== undefined && live.has(owner) && !this.#isDirectiveFunction(owner);
    };
    return changedNames(item.node, (name) => {
      const binding = this.#transform.analysis.model.module.bindings?.get(name);
      return binding !== undefined && binding.kind !== 'import' && binding.kind !== 'function';
    }).some(isLive);
  }

  #isDirectiveFunction(item: Item): boolean {
    if (this.#replaced.has(item.node)) return true;
    const value = item.node.type === 'VariableDeclarator' && item.node.init ? unwrap(item.node.init) : item.node;
    return this.#transform.analysis.functions.some((fn) => (fn.site.node as Node) === value);
  }

  dropOrphans(): void {
    const candidates = new Set(
      this.#items.filter(
        (item) => item.hadUses && !item.root && (item.kind === 'import' || item.kind === 'declaration'),
      ),
    );
    for (let shrank = true; shrank; ) {
      shrank = false;
      const used = new Set<Item>();
      for (const item of this.#items) {
        if (candidates.has(item)) continue;
        for (const ref of item.refs) {
          const owner = this.#owner.get(ref.binding as Binding);
          if (owner) used.add(owner);
        }
      }
      for (const item of candidates)
        if (used.has(item)) {
          candidates.delete(item);
          shrank = true;
        }
    }
    this.#remove([...candidates]);
  }

  // ---------------------------------------------------------------- removing

  #remove(dead: Item[]): void {
    const byStatement = new Map<Node, Item[]>();
    for (const item of dead) {
      if (this.#replaced.has(item.node)) continue;
      const list = byStatement.get(item.statement);
      if (list) list.push(item);
      else byStatement.set(item.statement, [item]);
    }
    for (const [statement, items] of byStatement) {
      const kept = this.#items.filter((item) => item.statement === statement && !items.includes(item));
      if (kept.length === 0) this.#cutStatement(statement);
      else if (statement.type === 'ImportDeclaration')
        this.#rewriteImport(
          statement,
          kept.map((item) => item.node),
        );
      else
        this.#cutDeclarators(
          items.map((item) => item.node),
          kept.map((item) => item.node),
        );
    }
  }

  /** With the comment that belongs to it, and its line when it has one of its own. */
  #cutStatement(statement: Node): void {
    const { source } = this.#transform;
    const { model } = this.#transform.analysis;
    let start = statement.start as number;
    let end = statement.end as number;
    for (let i = model.comments.length - 1; i >= 0; i--) {
      const comment = model.comments[i] as t.Comment;
      if ((comment.end as number) > start) continue;
      const between = source.slice(comment.end as number, start);
      const line = source.slice(source.lastIndexOf('\n', (comment.start as number) - 1) + 1, comment.start as number);
      if (!/^[ \t]*\r?\n?[ \t]*$/.test(between) || line.trim() !== '') break;
      start = comment.start as number;
    }
    const lineStart = source.lastIndexOf('\n', start - 1) + 1;
    const rest = /^[ \t]*\r?\n/.exec(source.slice(end));
    if (rest && source.slice(lineStart, start).trim() === '') {
      start = lineStart;
      end += rest[0].length;
    }
    this.#transform.edits.cut(start, end);
  }

  #rewriteImport(statement: t.ImportDeclaration, kept: Node[]): void {
    const { source, edits } = this.#transform;
    const text = (node: Node) => source.slice(node.start as number, node.end as number);
    const stays = (specifier: Node) =>
      kept.includes(specifier) || (specifier as t.ImportSpecifier).importKind === 'type';
    const parts: string[] = [];
    const named: string[] = [];
    for (const specifier of statement.specifiers) {
      if (!stays(specifier)) continue;
      if (specifier.type === 'ImportSpecifier') named.push(text(specifier));
      else parts.push(text(specifier));
    }
    if (named.length > 0) parts.push(`{ ${named.join(', ')} }`);
    edits.replace(statement.start as number, statement.source.start as number, `import ${parts.join(', ')} from `);
  }

  #cutDeclarators(dead: Node[], kept: Node[]): void {
    const { edits } = this.#transform;
    const all = [...dead, ...kept].sort((a, b) => (a.start as number) - (b.start as number));
    for (let i = 0; i < all.length; i++) {
      const node = all[i] as Node;
      if (!dead.includes(node)) continue;
      const next = all[i + 1];
      const before = all.slice(0, i).findLast((candidate) => kept.includes(candidate));
      if (next && !before) edits.cut(node.start as number, next.start as number);
      else edits.cut((all[i - 1] as Node).end as number, node.end as number);
    }
  }

  /** Marks calls of a value that nobody may need, so that a bundler can drop `export const client = new Sdk()`. */
  #markPure(init: Node): void {
    for (const at of pureCalls(init))
      if (!this.#transform.edits.isCut(at)) this.#transform.edits.insert(at, '/*#__PURE__*/ ');
  }
}

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
function changedNames(statement: Node, isLocalValue: (name: string) => boolean): string[] {
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
