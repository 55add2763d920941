import type {
  Declaration,
  Flags,
  SignatureRef,
  SourceNode,
  SymbolRef,
  SyntaxNode,
  TypeModel,
  TypeRef,
} from './model.ts';

/**
 * The part of `typescript/unstable/sync` that is used, as 7.0 has it. It is not stable: what is missing or behaves differently
 * throws, and whoever asked turns to another backend.
 */
export interface NativeChecker {
  getTypeAtLocation(node: SyntaxNode): NativeType | undefined;
  getTypeFromTypeNode(node: SyntaxNode): NativeType | undefined;
  getTypeOfSymbol(symbol: NativeSymbol): NativeType | undefined;
  getSymbolAtLocation(node: SyntaxNode): NativeSymbol | undefined;
  getAliasedSymbol(symbol: NativeSymbol): NativeSymbol;
  getShorthandAssignmentValueSymbol(node: SyntaxNode): NativeSymbol | undefined;
  getSignatureFromDeclaration(node: SyntaxNode): NativeSignature | undefined;
  getSignaturesOfType(type: NativeType, kind: number): readonly NativeSignature[];
  getReturnTypeOfSignature(signature: NativeSignature): NativeType | undefined;
  getPropertiesOfType(type: NativeType): readonly NativeSymbol[];
  getPropertyOfType(type: NativeType, name: string): NativeSymbol | undefined;
  getIndexInfosOfType(type: NativeType): readonly { valueType: NativeType }[];
  getTypeArguments(type: NativeType): readonly NativeType[];
  getBaseTypes(type: NativeType): readonly NativeType[];
  getBaseConstraintOfType(type: NativeType): NativeType | undefined;
  getNonNullableType(type: NativeType): NativeType | undefined;
  isArrayType(type: NativeType): boolean;
  isTupleType(type: NativeType): boolean;
  isTypeAssignableTo(source: NativeType, target: NativeType): boolean;
  typeToString(type: NativeType, enclosing?: SyntaxNode, flags?: number): string;
}

export interface NativeType extends TypeRef {
  readonly objectFlags?: number;
  readonly elementFlags?: readonly number[];
  getSymbol(): NativeSymbol | undefined;
  getTypes(): readonly NativeType[] | undefined;
  getTarget(): NativeType;
  isErrorType(): boolean;
  isClassOrInterface(): boolean;
}

export interface NativeSymbol extends SymbolRef {
  readonly declarations: readonly NativeHandle[];
  readonly valueDeclaration: NativeHandle | undefined;
  getParent(): NativeSymbol | undefined;
}

export interface NativeHandle {
  readonly kind: number;
  readonly path: string;
  resolve(): SyntaxNode | undefined;
}

export interface NativeSignature extends SignatureRef {
  getParameters(): readonly NativeSymbol[];
}

export interface NativeEnums {
  TypeFlags: Flags;
  ObjectFlags: Flags;
  SymbolFlags: Flags;
  ElementFlags: Flags;
  SignatureKind: Flags;
  NodeBuilderFlags: Flags;
}

interface ModelParts {
  enums: NativeEnums;
  SyntaxKind: Flags;
  checker: NativeChecker;
  sourceFile: TypeModel['sourceFile'];
}

/** The model over the API of TypeScript 7. Every question is a message to another process, so answers are kept. */
export function nativeModel({ enums, SyntaxKind, checker, sourceFile }: ModelParts): TypeModel {
  const { TypeFlags, ObjectFlags, SymbolFlags, ElementFlags, SignatureKind, NodeBuilderFlags } = enums;
  const type = (ref: TypeRef): NativeType => ref as NativeType;
  const declaration = (handle: NativeHandle): Declaration => ({
    kind: handle.kind,
    file: handle.path,
    node: () => handle.resolve(),
  });
  const isObject = ({ flags }: TypeRef): boolean => (flags & (TypeFlags.Object as number)) !== 0;
  const objectFlags = (ref: TypeRef): number => (isObject(ref) ? (type(ref).objectFlags ?? 0) : 0);
  const isReference = (ref: TypeRef): boolean => (objectFlags(ref) & (ObjectFlags.Reference as number)) !== 0;

  const typeOf = kept((symbol: SymbolRef) => checker.getTypeOfSymbol(symbol as NativeSymbol));
  const properties = kept((ref: TypeRef) => checker.getPropertiesOfType(type(ref)));
  const calls = kept((ref: TypeRef) => checker.getSignaturesOfType(type(ref), SignatureKind.Call as number));
  const constructs = kept((ref: TypeRef) => checker.getSignaturesOfType(type(ref), SignatureKind.Construct as number));
  const returnOf = kept((signature: SignatureRef) => checker.getReturnTypeOfSignature(signature as NativeSignature));
  const isTuple = kept((ref: TypeRef) => checker.isTupleType(type(ref)));
  const isArray = kept((ref: TypeRef) => checker.isArrayType(type(ref)));
  const typeArguments = kept((ref: TypeRef) => (isReference(ref) ? checker.getTypeArguments(type(ref)) : []));
  const bases = kept((ref: TypeRef): readonly TypeRef[] => {
    const target = isReference(ref) ? type(ref).getTarget() : type(ref);
    return isObject(target) && target.isClassOrInterface() ? checker.getBaseTypes(target) : [];
  });
  const property = (ref: TypeRef, name: string): NativeSymbol | undefined => checker.getPropertyOfType(type(ref), name);

  /** What `then` hands on. The API has no such question, and makes no unions. */
  const awaited = (ref: TypeRef, depth = 0): TypeRef | undefined => {
    const parts = (ref.flags & (TypeFlags.Union as number)) !== 0 ? (type(ref).getTypes() ?? []) : [ref];
    const handed = parts.map((part) => thenOf(part));
    if (handed.every((each) => each === null)) return ref;
    const [only] = handed;
    return parts.length === 1 && only && depth < 8 ? awaited(only, depth + 1) : undefined;
  };
  const thenOf = (ref: TypeRef): TypeRef | null => {
    const then =
      (ref.flags & ((TypeFlags.Object as number) | (TypeFlags.Intersection as number))) !== 0
        ? property(ref, 'then')
        : null;
    const [signature] = then ? calls(typeOf(then) ?? ref) : [];
    const callback = signature && (signature as NativeSignature).getParameters()[0];
    const callbackType = callback && typeOf(callback);
    const fulfilled = callbackType && checker.getNonNullableType(callbackType as NativeType);
    const value = fulfilled && (calls(fulfilled)[0] as NativeSignature | undefined)?.getParameters()[0];
    return (value && typeOf(value)) ?? null;
  };

  return {
    TypeFlags,
    ObjectFlags,
    SymbolFlags,
    ElementFlags,
    SyntaxKind,
    sourceFile,
    typeAt: (node) => checker.getTypeAtLocation(node),
    typeOfTypeNode: (node) => checker.getTypeFromTypeNode(node),
    typeOf,
    symbolAt(node) {
      const symbol = checker.getSymbolAtLocation(node);
      const isAlias = symbol && (symbol.flags & (SymbolFlags.Alias as number)) !== 0;
      return isAlias ? checker.getAliasedSymbol(symbol) : symbol;
    },
    shorthandValue: (node) => checker.getShorthandAssignmentValueSymbol(node),
    declarations: (symbol) => (symbol as NativeSymbol).declarations.map(declaration),
    valueDeclaration(symbol) {
      const handle = (symbol as NativeSymbol).valueDeclaration;
      return handle && declaration(handle);
    },
    parentOf: (symbol) => (symbol as NativeSymbol).getParent(),
    symbolOf: (ref) => type(ref).getSymbol(),
    objectFlags,
    isArray,
    isTuple,
    isError: (ref) => type(ref).isErrorType(),
    parts: (ref) => type(ref).getTypes() ?? [],
    typeArguments,
    elementFlags: (ref) => (isReference(ref) ? (type(ref).getTarget().elementFlags ?? []) : []),
    properties,
    property,
    calls,
    constructs,
    indexed: (ref) => checker.getIndexInfosOfType(type(ref)).map(({ valueType }) => valueType),
    bases,
    constraint: (ref) => checker.getBaseConstraintOfType(type(ref)),
    awaited: (ref) => awaited(ref),
    signatureOf: (node) => checker.getSignatureFromDeclaration(node),
    returnOf,
    parametersOf: (signature) => (signature as NativeSignature).getParameters(),
    isAssignable: (source, target) => checker.isTypeAssignableTo(type(source), type(target)),
    text: (ref) => checker.typeToString(type(ref), undefined, NodeBuilderFlags.NoTruncation as number),
  };
}

function kept<Key extends object, Value>(ask: (key: Key) => Value): (key: Key) => Value {
  const known = new Map<Key, Value>();
  return (key) => {
    let value = known.get(key);
    if (value === undefined && !known.has(key)) {
      value = ask(key);
      known.set(key, value);
    }
    return value as Value;
  };
}

export type { SourceNode };
