import type ts from 'typescript';
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

export type TypeScript = typeof ts;

/** The model over the API of TypeScript 5.5 to 6. Nodes, types and symbols are its own. */
export function classicModel(api: TypeScript, program: ts.Program): TypeModel {
  const checker = program.getTypeChecker();
  const asType = (type: TypeRef): ts.Type => type as ts.Type;
  const asSymbol = (symbol: SymbolRef): ts.Symbol => symbol as unknown as ts.Symbol;
  const asNode = (node: SyntaxNode): ts.Node => node as unknown as ts.Node;
  const symbolRef = (symbol: ts.Symbol | undefined): SymbolRef | undefined => symbol as SymbolRef | undefined;
  const declaration = (node: ts.Declaration): Declaration => ({
    kind: node.kind,
    file: node.getSourceFile().fileName,
    node: () => node as unknown as SyntaxNode,
  });
  const object = (type: TypeRef): ts.ObjectType | null =>
    (type.flags & api.TypeFlags.Object) !== 0 ? (type as ts.ObjectType) : null;
  const reference = (type: TypeRef): ts.TypeReference | null => {
    const found = object(type);
    return found && (found.objectFlags & api.ObjectFlags.Reference) !== 0 ? (found as ts.TypeReference) : null;
  };

  return {
    TypeFlags: api.TypeFlags as unknown as Flags,
    ObjectFlags: api.ObjectFlags as unknown as Flags,
    SymbolFlags: api.SymbolFlags as unknown as Flags,
    ElementFlags: api.ElementFlags as unknown as Flags,
    SyntaxKind: api.SyntaxKind as unknown as Flags,

    sourceFile: (file) => program.getSourceFile(file) as unknown as SourceNode | undefined,

    typeAt: (node) => checker.getTypeAtLocation(asNode(node)),
    typeOfTypeNode: (node) => checker.getTypeFromTypeNode(asNode(node) as ts.TypeNode),
    typeOf: (symbol) => checker.getTypeOfSymbol(asSymbol(symbol)),
    symbolAt(node) {
      const symbol = checker.getSymbolAtLocation(asNode(node));
      return symbolRef(symbol && symbol.flags & api.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol);
    },
    shorthandValue: (node) => symbolRef(checker.getShorthandAssignmentValueSymbol(asNode(node))),
    declarations: (symbol) => (asSymbol(symbol).declarations ?? []).map(declaration),
    valueDeclaration(symbol) {
      const node = asSymbol(symbol).valueDeclaration;
      return node && declaration(node);
    },
    parentOf: (symbol) => symbolRef((symbol as { parent?: ts.Symbol }).parent),

    symbolOf: (type) => symbolRef(asType(type).getSymbol()),
    objectFlags: (type) => object(type)?.objectFlags ?? 0,
    isArray: (type) => checker.isArrayType(asType(type)),
    isTuple: (type) => checker.isTupleType(asType(type)),
    isError: (type) => (type as { intrinsicName?: string }).intrinsicName === 'error',
    parts: (type) => (type as ts.UnionOrIntersectionType).types,
    typeArguments(type) {
      const found = reference(type);
      return found ? checker.getTypeArguments(found) : [];
    },
    elementFlags(type) {
      const found = reference(type);
      return found ? (found.target as ts.TupleType).elementFlags : [];
    },
    properties: (type) => checker.getPropertiesOfType(asType(type)) as unknown as SymbolRef[],
    property: (type, name) => symbolRef(checker.getPropertyOfType(asType(type), name)),
    calls: (type) => checker.getSignaturesOfType(asType(type), api.SignatureKind.Call) as readonly SignatureRef[],
    constructs: (type) =>
      checker.getSignaturesOfType(asType(type), api.SignatureKind.Construct) as readonly SignatureRef[],
    indexed: (type) => checker.getIndexInfosOfType(asType(type)).map((info) => info.type),
    bases(type) {
      const target = reference(type)?.target ?? object(type);
      return target?.isClassOrInterface() ? checker.getBaseTypes(target) : [];
    },
    constraint: (type) => checker.getBaseConstraintOfType(asType(type)),
    awaited: (type) => checker.getAwaitedType(asType(type)),
    signatureOf: (node) => checker.getSignatureFromDeclaration(asNode(node) as ts.SignatureDeclaration),
    returnOf: (signature) => checker.getReturnTypeOfSignature(signature as ts.Signature),
    parametersOf: (signature) => signature.parameters as unknown as SymbolRef[],
    isAssignable: (source, target) => checker.isTypeAssignableTo(asType(source), asType(target)),
    text: (type) => checker.typeToString(asType(type), undefined, api.TypeFormatFlags.NoTruncation),
  };
}
