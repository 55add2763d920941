import type { RefusalKind } from '../../rules/types.ts';
import { Classes } from './classes.ts';
import type { Declaration, SymbolRef, SyntaxNode, TypeModel, TypeRef } from './model.ts';
import { isPlatformFile, lineage, platformVerdict } from './platform.ts';
import { hasDirective, unwrap } from './syntax.ts';

/**
 * Looks for what surely cannot cross in a type. Sure means: whatever value of the type is passed, serialization refuses it. So
 * optional members are passed over, a union is refused when all of its parts are, an interface with methods is not when a class
 * that serializes implements it, and a class of mere data is not unless `new` is to be seen. What may be absent is judged where
 * a value is passed, by the value's own type.
 */

export interface Found {
  kind: RefusalKind;
  /** From the root: `.customer`, `[number]`. */
  path: string;
  type: TypeRef;
  mayBeStep: boolean;
  /** The property that has the type; null at the root. */
  member: SymbolRef | null;
  /** The class of an instance. */
  owner: SymbolRef | null;
}

export interface Judgement {
  found: Found | null;
  /** Steps or workflows were met as values. */
  references: boolean;
}

const MAX_DEPTH = 12;
/** Types looked at for one question. What lies beyond is taken to cross. */
const MAX_WORK = 4000;

export class Crossing {
  readonly #model: TypeModel;
  readonly #classes: Classes;
  /** Instances that serialize: what stands behind an interface may be one of them. */
  readonly #serializable: () => readonly TypeRef[];
  readonly #clean = new Set<TypeRef>();
  readonly #found = new Map<TypeRef, Found>();

  #visiting = new Set<TypeRef>();
  #passed: TypeRef[] = [];
  #work = 0;
  #references = false;
  /** Something was refused, cut short or a reference: what was passed is no proof for other questions. */
  #tainted = false;

  constructor(model: TypeModel, serializable: () => readonly TypeRef[]) {
    this.#model = model;
    this.#classes = new Classes(model);
    this.#serializable = serializable;
  }

  /** @param evidence - expressions that give the value */
  type(type: TypeRef, evidence: readonly SyntaxNode[] = []): Judgement {
    return this.#ask(() => this.#judge(type, 0, evidence));
  }

  expression(node: SyntaxNode): Judgement {
    return this.#ask(() => this.#value(node, 0));
  }

  #ask(judge: () => Found | null): Judgement {
    this.#visiting = new Set();
    this.#passed = [];
    this.#work = 0;
    this.#references = false;
    this.#tainted = false;
    const found = judge();
    if (!this.#tainted) for (const type of this.#passed) this.#clean.add(type);
    return { found, references: this.#references };
  }

  /** An expression says more than its type: the elements of an array, the step that a name stands for. */
  #value(expression: SyntaxNode, depth: number): Found | null {
    const { SyntaxKind } = this.#model;
    const node = unwrap(SyntaxKind, expression);
    if (node.kind === SyntaxKind.ArrayLiteralExpression) {
      for (const [index, element] of (node.elements ?? []).entries()) {
        if (element.kind === SyntaxKind.SpreadElement) continue;
        const found = this.#value(element, depth + 1);
        if (found) return within(found, `[${index}]`, null);
      }
      return null;
    }
    if (this.#isReference(node)) return this.#reference();
    const type = this.#model.typeAt(expression);
    return type ? this.#judge(type, depth, [expression]) : null;
  }

  /** `charge`, `steps.charge`: a name of a function with a directive, whatever its declared type. */
  #isReference(node: SyntaxNode): boolean {
    const { SyntaxKind } = this.#model;
    if (node.kind !== SyntaxKind.Identifier && node.kind !== SyntaxKind.PropertyAccessExpression) return false;
    const symbol = this.#model.symbolAt(node.kind === SyntaxKind.Identifier ? node : (node.name ?? node));
    const value = symbol && this.#initializer(symbol);
    return value ? hasDirective(SyntaxKind, unwrap(SyntaxKind, value)) : false;
  }

  /** What a variable or a property of an object literal is given where it is declared. */
  #initializer(symbol: SymbolRef): SyntaxNode | null {
    const { SyntaxKind } = this.#model;
    const declaration = this.#model.valueDeclaration(symbol);
    if (!declaration || isDeclarationFile(declaration.file)) return null;
    switch (declaration.kind) {
      case SyntaxKind.VariableDeclaration:
      case SyntaxKind.PropertyAssignment:
        return declaration.node()?.initializer ?? null;
      case SyntaxKind.ShorthandPropertyAssignment: {
        const node = declaration.node();
        const variable = node && this.#model.shorthandValue(node);
        return variable ? this.#initializer(variable) : null;
      }
      default:
        return null;
    }
  }

  #reference(): null {
    this.#references = true;
    this.#tainted = true;
    return null;
  }

  #judge(type: TypeRef, depth: number, evidence: readonly SyntaxNode[]): Found | null {
    const { TypeFlags } = this.#model;
    const has = (...names: string[]): boolean => names.some((name) => (type.flags & (TypeFlags[name] as number)) !== 0);
    if (has('Any', 'Unknown', 'Never', 'Void', 'Undefined', 'Null', 'NonPrimitive')) return null;
    if (has('StringLike', 'NumberLike', 'BigIntLike', 'BooleanLike', 'Index')) return null;
    if (has('ESSymbolLike')) return this.#refuse('symbol', type);
    if (has('Union')) return this.#union(type, depth, evidence);
    if (has('Instantiable')) {
      const constraint = this.#model.constraint(type);
      return constraint && constraint !== type && depth < MAX_DEPTH
        ? this.#judge(constraint, depth + 1, evidence)
        : null;
    }
    if (!has('Object', 'Intersection')) return null;
    if (this.#clean.has(type) || this.#visiting.has(type)) return null;
    const known = evidence.length === 0 ? this.#found.get(type) : undefined;
    if (known) {
      this.#tainted = true;
      return known;
    }
    if (depth > MAX_DEPTH || ++this.#work > MAX_WORK) {
      this.#tainted = true;
      return null;
    }
    this.#visiting.add(type);
    const found = has('Intersection') ? this.#intersection(type, depth) : this.#object(type, depth, evidence);
    this.#visiting.delete(type);
    if (!found) this.#passed.push(type);
    else if (evidence.length === 0) this.#found.set(type, found);
    return found;
  }

  #refuse(kind: RefusalKind, type: TypeRef, more: Partial<Found> = {}): Found {
    this.#tainted = true;
    return { kind, path: '', type, mayBeStep: false, member: null, owner: null, ...more };
  }

  /** Refused where every part is; whether there is a value at all is not asked. */
  #union(type: TypeRef, depth: number, evidence: readonly SyntaxNode[]): Found | null {
    const { TypeFlags } = this.#model;
    const nothing = (TypeFlags.Undefined as number) | (TypeFlags.Null as number) | (TypeFlags.Void as number);
    let first: Found | null = null;
    for (const part of this.#model.parts(type)) {
      if ((part.flags & nothing) !== 0) continue;
      const found = this.#judge(part, depth, evidence);
      if (!found) return null;
      first ??= found;
    }
    return first;
  }

  #intersection(type: TypeRef, depth: number): Found | null {
    const { TypeFlags } = this.#model;
    const parts = this.#model.parts(type);
    // A branded string, and `T & {}` for a `T` that nobody knows.
    if (parts.some(({ flags }) => (flags & ((TypeFlags.Primitive as number) | (TypeFlags.Any as number))) !== 0))
      return null;
    for (const part of parts) {
      const found = this.#leaf(part);
      if (found !== undefined) return found;
    }
    return this.#members(type, depth);
  }

  #object(type: TypeRef, depth: number, evidence: readonly SyntaxNode[]): Found | null {
    if (this.#model.isTuple(type)) return this.#tuple(type, depth);
    if (this.#model.isArray(type)) {
      const [element] = this.#model.typeArguments(type);
      const found = element && this.#judge(element, depth + 1, []);
      return found ? within(found, '[number]', null) : null;
    }
    const leaf = this.#leaf(type, evidence);
    if (leaf !== undefined) return leaf;
    const found = this.#collection(type, depth);
    return found === undefined ? this.#members(type, depth) : found;
  }

  #tuple(type: TypeRef, depth: number): Found | null {
    const { Optional = 0, Rest = 0, Variadic = 0 } = this.#model.ElementFlags as Record<string, number>;
    const flags = this.#model.elementFlags(type);
    for (const [index, element] of this.#model.typeArguments(type).entries()) {
      const flag = flags[index] ?? 0;
      if ((flag & (Optional | Variadic)) !== 0) continue;
      const found = this.#judge(element, depth + 1, []);
      if (found) return within(found, (flag & Rest) !== 0 ? '[number]' : `[${index}]`, null);
    }
    return null;
  }

  /** What can be said of a type without a look at its members; undefined where that takes one. */
  #leaf(type: TypeRef, evidence: readonly SyntaxNode[] = []): Found | null | undefined {
    if ((type.flags & (this.#model.TypeFlags.Object as number)) === 0) return undefined;
    switch (platformVerdict(this.#model, type)) {
      case 'crosses':
        return null;
      case 'promise':
        return this.#refuse('promise', type);
      case 'function':
        return this.#refuse('function', type);
      case 'instance':
        return this.#instance(type, true, evidence);
      case 'collection':
      case null:
        return this.#callable(type) ?? this.#instance(type, false, evidence);
    }
  }

  #callable(type: TypeRef): Found | null | undefined {
    const symbol = this.#model.symbolOf(type);
    const [call] = this.#model.calls(type);
    if (call) {
      const declarations = symbol ? this.#model.declarations(symbol) : [];
      if (declarations.some((declaration) => this.#isStep(declaration))) return this.#reference();
      // A package may well export a step, and its declarations do not tell.
      if (declarations.some((declaration) => this.#isForeignFunction(declaration))) return null;
      const result = this.#model.returnOf(call);
      return this.#refuse('function', type, {
        mayBeStep: result !== undefined && this.#isPromise(result) && this.#isWritten(declarations),
      });
    }
    if (this.#model.constructs(type).length === 0) return undefined;
    if (symbol && this.#classes.isRegistered(type, symbol)) return this.#reference();
    return this.#refuse('class', type);
  }

  #isStep(declaration: Declaration): boolean {
    if (isDeclarationFile(declaration.file)) return false;
    const node = declaration.node();
    return node !== undefined && hasDirective(this.#model.SyntaxKind, node);
  }

  #isForeignFunction({ file, kind }: Declaration): boolean {
    return kind === this.#model.SyntaxKind.FunctionDeclaration && isDeclarationFile(file) && !isPlatformFile(file);
  }

  /** The type is written down, not that of a function in the code. */
  #isWritten(declarations: readonly Declaration[]): boolean {
    const { SyntaxKind } = this.#model;
    return declarations.every(({ kind }) => kind === SyntaxKind.FunctionType || kind === SyntaxKind.CallSignature);
  }

  #isPromise(type: TypeRef): boolean {
    const { TypeFlags } = this.#model;
    if ((type.flags & ((TypeFlags.Any as number) | (TypeFlags.Unknown as number))) !== 0) return true;
    return lineage(this.#model, type).some((each) => platformVerdict(this.#model, each) === 'promise');
  }

  #instance(type: TypeRef, ofPlatform: boolean, evidence: readonly SyntaxNode[]): Found | null | undefined {
    const symbol = this.#model.symbolOf(type);
    if (!symbol) return undefined;
    if (this.#classes.isInstance(type, symbol)) {
      if (this.#classes.maySerialize(type, symbol)) return null;
      if (!ofPlatform && !this.#classes.isBound(type, symbol) && !this.#isMade(symbol, evidence)) return undefined;
      return this.#isHeld(symbol) ? null : this.#refuse('instance', type, { owner: symbol });
    }
    return ofPlatform ? this.#refuse('instance', type, { owner: symbol }) : undefined;
  }

  /** A class that serializes extends it, so an instance of that one may be meant. */
  #isHeld(symbol: SymbolRef): boolean {
    return this.#serializable().some((type) =>
      lineage(this.#model, type).some((each) => this.#model.symbolOf(each) === symbol),
    );
  }

  /** `new Order(…)`, or a constant that holds one. */
  #isMade(symbol: SymbolRef, evidence: readonly SyntaxNode[]): boolean {
    const { SyntaxKind } = this.#model;
    return evidence.some((expression) => {
      let node = unwrap(SyntaxKind, expression);
      if (node.kind === SyntaxKind.Identifier) {
        const named = this.#model.symbolAt(node);
        const declaration = named && this.#model.valueDeclaration(named);
        if (declaration?.kind !== SyntaxKind.VariableDeclaration) return false;
        const variable = declaration?.node();
        if (!variable?.initializer || variable.type) return false;
        node = unwrap(SyntaxKind, variable.initializer);
      }
      if (node.kind !== SyntaxKind.NewExpression) return false;
      const made = this.#model.typeAt(node);
      return made !== undefined && this.#model.symbolOf(made) === symbol;
    });
  }

  #collection(type: TypeRef, depth: number): Found | null | undefined {
    if (platformVerdict(this.#model, type) !== 'collection') return undefined;
    const [first, second] = this.#model.typeArguments(type);
    const pairs: [TypeRef | undefined, string][] = second
      ? [
          [first, '.keys()'],
          [second, '.get(…)'],
        ]
      : [[first, '.values()']];
    for (const [part, path] of pairs) {
      const found = part && this.#judge(part, depth + 1, []);
      if (found) return within(found, path, null);
    }
    return null;
  }

  #members(type: TypeRef, depth: number): Found | null {
    if (this.#isOfSdk(type)) return null;
    const found = this.#firstMember(type, depth);
    return found && this.#isImplemented(type) ? null : found;
  }

  /**
   * What the SDKs know how to send, by its members: definitions stand for their step or workflow (`{ slug, run }`,
   * `{ slug, prompt }`), and the request of a webhook is answered where it arrives (`respondWith`).
   */
  #isOfSdk(type: TypeRef): boolean {
    const has = (name: string): boolean => this.#model.property(type, name) !== undefined;
    return has('respondWith') || (has('slug') && (has('run') || has('prompt')));
  }

  /** A class that serializes has all that the type asks for, so an instance of it may be meant. */
  #isImplemented(type: TypeRef): boolean {
    return this.#serializable().some((candidate) => this.#model.isAssignable(candidate, type));
  }

  #firstMember(type: TypeRef, depth: number): Found | null {
    const { ObjectFlags } = this.#model;
    const isLiteral = (this.#model.objectFlags(type) & (ObjectFlags.ObjectLiteral as number)) !== 0;
    const members = this.#model.properties(type).filter((member) => this.#counts(member));
    const later: [SymbolRef, TypeRef][] = [];
    // What is refused at once comes first: it makes the shorter path.
    for (const member of members) {
      const own = this.#model.typeOf(member);
      if (!own) continue;
      const found = this.#isDeep(own) ? undefined : this.#member(member, own, isLiteral, depth);
      if (found) return found;
      if (found === undefined) later.push([member, own]);
    }
    for (const [member, own] of later) {
      const found = this.#member(member, own, isLiteral, depth);
      if (found) return found;
    }
    for (const own of this.#model.indexed(type)) {
      const found = this.#judge(own, depth + 1, []);
      if (found) return within(found, '[string]', null);
    }
    return null;
  }

  #counts({ escapedName, flags }: SymbolRef): boolean {
    const { Optional = 0, Prototype = 0 } = this.#model.SymbolFlags as Record<string, number>;
    return (flags & (Optional | Prototype)) === 0 && !/^__[@#]/.test(String(escapedName));
  }

  #isDeep(type: TypeRef): boolean {
    const { TypeFlags } = this.#model;
    if ((type.flags & (TypeFlags.Object as number)) === 0) return (type.flags & (TypeFlags.Primitive as number)) === 0;
    return this.#model.calls(type).length === 0;
  }

  #member(member: SymbolRef, own: TypeRef, isLiteral: boolean, depth: number): Found | null {
    const value = isLiteral ? this.#initializer(member) : null;
    if (value && this.#isReference(unwrap(this.#model.SyntaxKind, value))) return this.#reference();
    const found = this.#judge(own, depth + 1, value ? [value] : []);
    return found ? within(found, propertyPath(String(member.escapedName)), member) : null;
  }
}

/** The same, a step further from the root. */
function within(found: Found, piece: string, member: SymbolRef | null): Found {
  return { ...found, path: piece + found.path, member: found.member ?? member };
}

function propertyPath(escaped: string): string {
  const name = escaped.startsWith('___') ? escaped.slice(1) : escaped;
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

function isDeclarationFile(file: string): boolean {
  return /\.d\.[cm]?ts$/.test(file);
}
