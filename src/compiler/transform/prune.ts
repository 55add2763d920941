import type * as t from '@babel/types';
import { isFunction, isTypeOnly, type Node, unwrap } from '../analyze/ast.ts';
import { bindingNames } from '../analyze/definitions.ts';
import type { Binding, DirectiveFunction, Ref } from '../analyze/model.ts';
import { changedNames, pureCalls } from './effects.ts';
import type { Transform } from './transform.ts';

/** What a step may be told by assignment; it changes nothing that a workflow could see. */
const OPTIONS = new Set([
  'maxRetries',
  'timeout',
  'heartbeatTimeout',
  'retryAfter',
  'concurrency',
  'stepId',
  'workflowId',
]);

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
  /** A binding may have several declarations: a class and a namespace, a `var` that is repeated. */
  readonly #owners = new Map<Binding, Item[]>();
  /** `const alias = table`: what changes the one changes the other. */
  readonly #aliases = new Map<Binding, Binding>();
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
        this.#add(statement, statement, this.#declaredWithin(statement), 'effect', this.#registers(statement));
    }
  }

  #add(node: Node, statement: Node, names: string[], kind: Item['kind'], root: boolean): void {
    const bindings: Binding[] = [];
    let stays = root || this.#isKept(node);
    for (const name of names) {
      const binding = this.#transform.analysis.model.module.bindings?.get(name);
      if (binding) bindings.push(binding);
      if (JSX_FACTORIES.has(name) && this.#transform.analysis.model.file.endsWith('x')) stays = true;
    }
    const item: Item = { node, statement, bindings, refs: [], kind, root: stays, hadUses: false };
    this.#items.push(item);
    for (const binding of bindings) {
      const owners = this.#owners.get(binding);
      if (owners) owners.push(item);
      else this.#owners.set(binding, [item]);
    }
  }

  #isKept(node: Node): boolean {
    return this.#transform.keep.some((offset) => (node.start as number) <= offset && offset < (node.end as number));
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

  /** `try { var config = … }`: variables of the module that stand inside of a statement. */
  #declaredWithin(statement: Node): string[] {
    const names: string[] = [];
    for (const [name, { node }] of this.#transform.analysis.model.module.bindings ?? [])
      if ((statement.start as number) <= (node.start as number) && (node.end as number) <= (statement.end as number))
        names.push(name);
    return names;
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
      const isExports = !ref.binding && (ref.name === 'exports' || ref.name === 'module');
      if (ref.binding?.scope !== model.module && !isExports) continue;
      const offset = ref.node.start as number;
      for (const target of (ref.binding && this.#owners.get(ref.binding)) ?? []) target.hadUses = true;
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
      if (!item) continue;
      // Whatever touches what a CommonJS module gives to others stays.
      if (isExports) item.root = true;
      else item.refs.push(ref);
      const value = item.node.type === 'VariableDeclarator' && item.node.init ? unwrap(item.node.init) : null;
      if (ref.binding && value === ref.node && item.bindings.length === 1)
        this.#aliases.set(item.bindings[0] as Binding, ref.binding);
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
      for (const ref of item.refs) for (const owner of this.#ownersOf(ref)) mark(owner);
    };
    for (const item of this.#items) if (item.root) mark(item);
    const effects = this.#items.filter((item) => !item.root && this.#runsAtLoad(item));
    for (let grew = true; grew; ) {
      grew = false;
      for (const item of effects) {
        if (live.has(item)) continue;
        if (!this.#changes(item, (owner) => live.has(owner)) && !this.#changesImport(item, live)) continue;
        mark(item);
        grew = true;
      }
    }
    this.#remove(this.#items.filter((item) => !live.has(item)));
    this.markPure(live);
  }

  /** Marks what may go when nobody needs its value, so that a bundler can drop `export const client = new Sdk()`. */
  markPure(items: Iterable<Item> = this.#items): void {
    for (const item of items) {
      if (item.node.type !== 'VariableDeclarator' || !item.node.init || this.#registers(item.node)) continue;
      if (this.#isKept(item.node)) continue;
      if (!this.#changes(item, (owner) => owner !== item)) this.#markPure(item.node.init);
    }
  }

  #ownersOf(ref: Ref): readonly Item[] {
    return (ref.binding && this.#owners.get(ref.binding)) ?? [];
  }

  /** Whether an item does something when the module is loaded, besides declaring. */
  #runsAtLoad({ kind, node }: Item): boolean {
    if (kind === 'effect') return true;
    if (node.type === 'VariableDeclarator') return node.init != null && !isFunction(unwrap(node.init));
    if (node.type !== 'ClassDeclaration') return false;
    return (
      (node.decorators?.length ?? 0) > 0 ||
      node.body.body.some(
        (member) => member.type === 'StaticBlock' || ('static' in member && member.static && 'value' in member),
      )
    );
  }

  /**
   * Whether running an item may change a variable that counts: by an assignment, by a call of one of its methods, by handing it
   * on; itself or through the functions of the module that it reaches.
   */
  #changes(item: Item, counts: (owner: Item) => boolean): boolean {
    const seen = new Set<Item>([item]);
    const stack = [item];
    // `new Sdk(config)` reads what it is given; what this module does itself might do more.
    const trusting = item.kind === 'declaration' && !this.#callsOwnCode(item);
    for (let current = stack.pop(); current; current = stack.pop()) {
      for (const ref of current.refs) {
        const { binding } = ref;
        if (!binding || binding.kind === 'import') continue;
        if (
          this.#mayChange(ref, trusting && current === item) &&
          this.#ownersOf({ ...ref, binding: this.#aliases.get(binding) ?? binding }).some(counts)
        )
          return true;
        if (ref.access === 'read' && ref.path.length > 1) continue;
        for (const owner of this.#ownersOf(ref)) {
          if (seen.has(owner) || this.#isDirectiveFunction(owner)) continue;
          seen.add(owner);
          if (isCode(owner.node)) stack.push(owner);
        }
      }
    }
    return false;
  }

  #callsOwnCode(item: Item): boolean {
    return item.refs.some(
      (ref) =>
        (ref.access === 'call' || ref.access === 'new') &&
        ref.path.length === 1 &&
        ref.binding?.kind !== 'import' &&
        this.#ownersOf(ref).length > 0,
    );
  }

  #mayChange(ref: Ref, trusting: boolean): boolean {
    const owners = this.#ownersOf(ref);
    if (ref.access === 'write')
      return !(OPTIONS.has(ref.path.at(-1) as string) && owners.some((owner) => this.#isDirectiveFunction(owner)));
    if (ref.access === 'read' && ref.path.length === 1 && this.#isSetUp(ref)) return true;
    if (owners.every((owner) => isCode(owner.node) || isConstant(owner.node))) return false;
    if (ref.access === 'call') return ref.path.length > 1;
    if (ref.access !== 'read' || ref.path.length > 1 || trusting) return false;
    // `table[key]` only looks.
    return !/^\s*(?:\?\.)?\s*\[/.test(this.#transform.source.slice(ref.end, ref.end + 32));
  }

  /** `Object.assign(charge, …)`, `Reflect.defineProperty(Order, …)`: also functions and classes are changed so. */
  #isSetUp({ node }: Ref): boolean {
    const start = node.start as number;
    return /\b(?:Object|Reflect)\s*\.\s*\w+\s*\(\s*$/.test(
      this.#transform.source.slice(Math.max(0, start - 60), start),
    );
  }

  /** `dayjs.extend(utc)`, `register(table)`: sets up something imported that stays. */
  #changesImport(item: Item, live: ReadonlySet<Item>): boolean {
    const { keep, analysis } = this.#transform;
    // Where the whole program said what is wanted of a helper, the rest is not.
    if (item.kind !== 'effect' || (keep.length > 0 && analysis.functions.length === 0)) return false;
    const bindingOf = (name: string) => this.#transform.analysis.model.module.bindings?.get(name);
    const names = changedNames(item.node, (name) => {
      const kind = bindingOf(name)?.kind;
      return kind !== undefined && kind !== 'import' && kind !== 'function';
    });
    return names.some((name) => {
      const binding = bindingOf(name);
      return binding?.kind === 'import' && (this.#owners.get(binding) ?? []).some((owner) => live.has(owner));
    });
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
        for (const ref of item.refs) for (const owner of this.#ownersOf(ref)) used.add(owner);
      }
      for (const item of candidates)
        if (used.has(item) || (this.#runsAtLoad(item) && this.#changes(item, (owner) => !candidates.has(owner)))) {
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
      const belongs = /^[ \t]*\r?\n?[ \t]*$/.test(between) && line.trim() === '';
      const head = source.slice(0, comment.start as number).trim() === '';
      if (!belongs || head || /@jsx|@ts-|@license|@preserve|^!/.test(comment.value)) break;
      start = comment.start as number;
    }
    const lineStart = source.lastIndexOf('\n', start - 1) + 1;
    const rest = /^[ \t]*\r?\n/.exec(source.slice(end));
    if (rest && source.slice(lineStart, start).trim() === '') {
      start = lineStart;
      end += rest[0].length;
    }
    this.#transform.cutStatement(start, end);
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

/** Functions and classes: they change nothing by being there. */
function isCode(node: Node): boolean {
  if (isFunction(node) || node.type === 'ClassDeclaration') return true;
  if (node.type !== 'VariableDeclarator' || !node.init) return false;
  const init = unwrap(node.init);
  return isFunction(init) || init.type === 'ClassExpression';
}

/** `const rate = 0.2`: nothing can change it. */
function isConstant(node: Node): boolean {
  if (node.type !== 'VariableDeclarator' || !node.init) return false;
  const init = unwrap(node.init);
  return init.type.endsWith('Literal') && init.type !== 'TemplateLiteral';
}

/** Prepares a module without directives for the workflow bundle; see `compileHelper`. */
export function markModulePure(transform: Transform): void {
  new Pruner(transform, transform.analysis.model.program).markPure();
}
