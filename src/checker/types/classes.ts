import type { SymbolRef, SyntaxNode, TypeModel, TypeRef } from './model.ts';
import { lineage } from './platform.ts';
import { hasDirective, hasModifier } from './syntax.ts';

/** What classes say of their instances. */

const WELL_KNOWN =
  /^__@(?:iterator|asyncIterator|hasInstance|isConcatSpreadable|match|matchAll|replace|search|species|split|toPrimitive|toStringTag|unscopables|dispose|asyncDispose|metadata)(?:@|$)/;

/** Classes that were looked at; a class stays what it is as long as its program. */
export class Classes {
  readonly #model: TypeModel;
  readonly #able = new Map<SymbolRef, boolean>();
  readonly #bound = new Map<SymbolRef, boolean>();

  constructor(model: TypeModel) {
    this.#model = model;
  }

  /** Whether a type is of instances of a class. */
  isInstance(type: TypeRef, symbol: SymbolRef): boolean {
    const { SymbolFlags, ObjectFlags } = this.#model;
    const isClass = (symbol.flags & (SymbolFlags.Class as number)) !== 0;
    return isClass && (this.#model.objectFlags(type) & (ObjectFlags.Anonymous as number)) === 0;
  }

  /**
   * Whether instances may cross: the class or one that it extends has a static member whose name is a symbol, which may be
   * the serialization symbol of either SDK, or a decorator, which may add it.
   */
  maySerialize(type: TypeRef, symbol: SymbolRef): boolean {
    let able = this.#able.get(symbol);
    if (able === undefined) {
      able = this.#hasStaticSymbol(symbol) || lineage(this.#model, type).some((each) => this.#isOpen(each));
      this.#able.set(symbol, able);
    }
    return able;
  }

  #hasStaticSymbol(symbol: SymbolRef): boolean {
    const statics = this.#model.typeOf(symbol);
    return (
      statics !== undefined &&
      this.#model.properties(statics).some(({ escapedName }) => {
        const name = String(escapedName);
        return name.startsWith('__@') && !WELL_KNOWN.test(name);
      })
    );
  }

  /** A computed static name that TypeScript makes nothing of, such as `[Symbol.for('…')]`; a decorator; an unknown base. */
  #isOpen(type: TypeRef): boolean {
    const { SyntaxKind } = this.#model;
    return this.#declarations(type).some(
      (node) =>
        hasModifier(node, SyntaxKind.Decorator) ||
        (node.heritageClauses?.some(({ token }) => token === SyntaxKind.ExtendsKeyword) === true &&
          this.#model.bases(type).length === 0) ||
        node.members?.some(
          (member) =>
            member.name?.kind === SyntaxKind.ComputedPropertyName &&
            member.name?.expression?.kind === SyntaxKind.CallExpression &&
            hasModifier(member, SyntaxKind.StaticKeyword),
        ),
    );
  }

  #declarations(type: TypeRef): SyntaxNode[] {
    const { SyntaxKind } = this.#model;
    const symbol = this.#model.symbolOf(type);
    if (!symbol) return [];
    return this.#model
      .declarations(symbol)
      .filter(({ kind }) => kind === SyntaxKind.ClassDeclaration || kind === SyntaxKind.ClassExpression)
      .flatMap((declaration) => declaration.node() ?? []);
  }

  /** Whether no plain object has the type: it has methods or private members. Data alone may be written as a literal. */
  isBound(type: TypeRef, symbol: SymbolRef): boolean {
    let bound = this.#bound.get(symbol);
    if (bound === undefined) {
      bound = this.#model.properties(type).some((member) => this.#binds(member));
      this.#bound.set(symbol, bound);
    }
    return bound;
  }

  #binds(member: SymbolRef): boolean {
    const { SymbolFlags, SyntaxKind } = this.#model;
    if ((member.flags & (SymbolFlags.Optional as number)) !== 0) return false;
    if ((member.flags & (SymbolFlags.Method as number)) !== 0) return true;
    if (String(member.escapedName).startsWith('__#')) return true;
    return this.#model.declarations(member).some((declaration) => {
      const node = declaration.node();
      return node !== undefined && hasModifier(node, SyntaxKind.PrivateKeyword, SyntaxKind.ProtectedKeyword);
    });
  }

  /** Whether the build registers a class, so that the class itself crosses: it serializes or has steps. */
  isRegistered(type: TypeRef, symbol: SymbolRef): boolean {
    if (this.maySerialize(type, symbol)) return true;
    const { SyntaxKind } = this.#model;
    return this.#model.declarations(symbol).some((declaration) => {
      const members = declaration.node()?.members ?? [];
      return members.some((member) => hasDirective(SyntaxKind, member));
    });
  }
}
