/**
 * The part of TypeScript that answers are made of, under one set of names. TypeScript 5 to 6 and 7 number their flags and
 * kinds differently, and name most things alike: nodes, types and symbols are passed on as they are.
 */

/** Numbers by name, as the enums of TypeScript have them. */
export type Flags = Readonly<Record<string, number | string>>;

/** A type of either API. Identity counts. */
export interface TypeRef {
  readonly flags: number;
}

/** A symbol of either API. */
export interface SymbolRef {
  readonly flags: number;
  readonly escapedName: unknown;
}

/** A signature of either API. */
export interface SignatureRef {
  readonly parameters: readonly unknown[];
}

/** A syntax node of either API: all names that are asked for, whatever the kind. */
export interface SyntaxNode {
  readonly kind: number;
  readonly pos: number;
  readonly end: number;
  readonly parent: SyntaxNode | undefined;
  forEachChild<T>(visit: (node: SyntaxNode) => T | undefined): T | undefined;
  getStart(): number;
  getSourceFile(): SourceNode;
  readonly name?: SyntaxNode;
  readonly expression?: SyntaxNode;
  readonly initializer?: SyntaxNode;
  readonly body?: SyntaxNode;
  readonly type?: SyntaxNode;
  readonly text?: string;
  readonly arguments?: readonly SyntaxNode[];
  readonly typeArguments?: readonly SyntaxNode[];
  readonly elements?: readonly SyntaxNode[];
  readonly heritageClauses?: readonly (SyntaxNode & { readonly token: number })[];
  readonly members?: readonly SyntaxNode[];
  readonly modifiers?: readonly SyntaxNode[];
  readonly parameters?: readonly SyntaxNode[];
  readonly properties?: readonly SyntaxNode[];
  readonly statements?: readonly SyntaxNode[];
  readonly questionToken?: SyntaxNode;
  readonly dotDotDotToken?: SyntaxNode;
}

export interface SourceNode extends SyntaxNode {
  readonly fileName: string;
  readonly text: string;
  readonly isDeclarationFile: boolean;
  readonly statements: readonly SyntaxNode[];
}

/** A declaration of a symbol; its node is fetched when it is asked for. */
export interface Declaration {
  readonly kind: number;
  /** Absolute. */
  readonly file: string;
  node(): SyntaxNode | undefined;
}

export interface TypeModel {
  readonly TypeFlags: Flags;
  readonly ObjectFlags: Flags;
  readonly SymbolFlags: Flags;
  readonly ElementFlags: Flags;
  readonly SyntaxKind: Flags;

  /** @param file - absolute, with `/` */
  sourceFile(file: string): SourceNode | undefined;

  /** The type of an expression or a declaration. */
  typeAt(node: SyntaxNode): TypeRef | undefined;
  typeOfTypeNode(node: SyntaxNode): TypeRef | undefined;
  typeOf(symbol: SymbolRef): TypeRef | undefined;
  /** The symbol that a name means, imports followed. */
  symbolAt(node: SyntaxNode): SymbolRef | undefined;
  /** The variable that `{ name }` takes its value from. */
  shorthandValue(node: SyntaxNode): SymbolRef | undefined;
  declarations(symbol: SymbolRef): Declaration[];
  valueDeclaration(symbol: SymbolRef): Declaration | undefined;
  parentOf(symbol: SymbolRef): SymbolRef | undefined;

  symbolOf(type: TypeRef): SymbolRef | undefined;
  objectFlags(type: TypeRef): number;
  isArray(type: TypeRef): boolean;
  isTuple(type: TypeRef): boolean;
  /** The error type: TypeScript itself reports what is wrong there. */
  isError(type: TypeRef): boolean;
  /** Of a union or an intersection. */
  parts(type: TypeRef): readonly TypeRef[];
  /** Of a reference: the element types of a tuple, too. */
  typeArguments(type: TypeRef): readonly TypeRef[];
  /** One for each element type of a tuple. */
  elementFlags(type: TypeRef): readonly number[];
  properties(type: TypeRef): readonly SymbolRef[];
  property(type: TypeRef, name: string): SymbolRef | undefined;
  calls(type: TypeRef): readonly SignatureRef[];
  constructs(type: TypeRef): readonly SignatureRef[];
  /** Types of what index signatures give. */
  indexed(type: TypeRef): readonly TypeRef[];
  /** What a class or an interface extends, without type arguments that count. */
  bases(type: TypeRef): readonly TypeRef[];
  /** The constraint of a type that is not known yet; undefined where it says nothing. */
  constraint(type: TypeRef): TypeRef | undefined;
  /** What `await` makes of it. */
  awaited(type: TypeRef): TypeRef | undefined;
  signatureOf(node: SyntaxNode): SignatureRef | undefined;
  returnOf(signature: SignatureRef): TypeRef | undefined;
  parametersOf(signature: SignatureRef): readonly SymbolRef[];
  isAssignable(source: TypeRef, target: TypeRef): boolean;
  text(type: TypeRef): string;
}
