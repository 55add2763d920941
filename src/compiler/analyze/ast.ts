import type * as t from '@babel/types';

/** Small questions about nodes, without loading @babel/types (which costs more than parsing a module). */

export type Node = t.Node;
export type FunctionNode =
  | t.FunctionDeclaration
  | t.FunctionExpression
  | t.ArrowFunctionExpression
  | t.ObjectMethod
  | t.ClassMethod
  | t.ClassPrivateMethod;

export function isFunction(node: Node): node is FunctionNode {
  switch (node.type) {
    case 'FunctionDeclaration':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
    case 'ObjectMethod':
    case 'ClassMethod':
    case 'ClassPrivateMethod':
      return true;
    default:
      return false;
  }
}

/** Wrappers that change nothing at run time: parentheses and type assertions. */
export function isTransparent(node: Node): boolean {
  switch (node.type) {
    case 'ParenthesizedExpression':
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
    case 'TSNonNullExpression':
    case 'TSTypeAssertion':
    case 'TSInstantiationExpression':
      return true;
    default:
      return false;
  }
}

/** The expression inside of parentheses and type assertions. */
export function unwrap(node: Node): Node {
  let inner = node;
  while (isTransparent(inner)) inner = (inner as t.ParenthesizedExpression).expression;
  return inner;
}

/** The static name of a key: identifier, string, number, bigint, private name; null when computed from something else. */
export function keyName(key: Node, computed: boolean | undefined): string | null {
  if (key.type === 'PrivateName') return `#${key.id.name}`;
  if (key.type === 'StringLiteral') return key.value;
  if (key.type === 'NumericLiteral') return String(key.value);
  if (key.type === 'BigIntLiteral' && /^(?:\d+|0[xob][\da-f]+)$/i.test(key.value)) return String(BigInt(key.value));
  if (computed) {
    if (key.type === 'TemplateLiteral' && key.expressions.length === 0) return key.quasis[0]?.value.cooked ?? null;
    return null;
  }
  return key.type === 'Identifier' ? key.name : null;
}

/** `a.b['c']` as `['a', 'b', 'c']`, `this` as a first piece of that name; null for anything else. */
export function staticPath(node: Node): string[] | null {
  const inner = unwrap(node);
  if (inner.type === 'Identifier') return [inner.name];
  if (inner.type === 'ThisExpression') return ['this'];
  if (inner.type === 'MemberExpression' || inner.type === 'OptionalMemberExpression') {
    const object = staticPath(inner.object);
    const name = keyName(inner.property, inner.computed);
    return object && name !== null ? [...object, name] : null;
  }
  return null;
}

const SKIPPED = new Set([
  'type',
  'start',
  'end',
  'loc',
  'extra',
  'range',
  'leadingComments',
  'trailingComments',
  'innerComments',
  'directives',
  'typeAnnotation',
  'typeParameters',
  'typeArguments',
  'returnType',
  'superTypeParameters',
  'implements',
  'predicate',
  'interpreter',
  'errors',
  'params_',
  'variance',
  'declare',
  'accessibility',
]);

/** Child keys in source order of the node types that make up most of a program; the rest is enumerated. */
const KEYS: Record<string, readonly string[]> = {
  ExpressionStatement: ['expression'],
  MemberExpression: ['object', 'property'],
  CallExpression: ['callee', 'arguments'],
  VariableDeclaration: ['declarations'],
  ReturnStatement: ['argument'],
  AwaitExpression: ['argument'],
  BinaryExpression: ['left', 'right'],
  LogicalExpression: ['left', 'right'],
  ConditionalExpression: ['test', 'consequent', 'alternate'],
  ArrayExpression: ['elements'],
  ObjectExpression: ['properties'],
  TemplateLiteral: ['expressions'],
  IfStatement: ['test', 'consequent', 'alternate'],
  ThrowStatement: ['argument'],
  NewExpression: ['callee', 'arguments'],
  UnaryExpression: ['argument'],
  SpreadElement: ['argument'],
  ForStatement: ['init', 'test', 'update', 'body'],
  WhileStatement: ['test', 'body'],
  SwitchCase: ['test', 'consequent'],
  ParenthesizedExpression: ['expression'],
  TSAsExpression: ['expression'],
  TSSatisfiesExpression: ['expression'],
  TSNonNullExpression: ['expression'],
  OptionalCallExpression: ['callee', 'arguments'],
  TaggedTemplateExpression: ['tag', 'quasi'],
  SequenceExpression: ['expressions'],
  YieldExpression: ['argument'],
  StringLiteral: [],
  NumericLiteral: [],
  BooleanLiteral: [],
  NullLiteral: [],
  RegExpLiteral: [],
  BigIntLiteral: [],
  TemplateElement: [],
  EmptyStatement: [],
  DebuggerStatement: [],
};

/** Calls `visit` with each child node that is code; types are passed over. */
export function eachChild(node: Node, visit: (child: Node) => void): void {
  const record = node as unknown as Record<string, unknown>;
  const keys = KEYS[node.type];
  if (keys) {
    for (const key of keys) visitValue(record[key], visit);
    return;
  }
  for (const key in record) if (!SKIPPED.has(key)) visitValue(record[key], visit);
}

function visitValue(value: unknown, visit: (child: Node) => void): void {
  if (value === null || typeof value !== 'object') return;
  if (Array.isArray(value)) {
    for (const item of value) if (item && typeof item.type === 'string') visit(item as Node);
  } else if (typeof (value as Node).type === 'string') visit(value as Node);
}

/** TypeScript nodes that are types only; expression wrappers, enums, namespaces and `import =` are code. */
export function isTypeOnly(node: Node): boolean {
  if (!node.type.startsWith('TS')) return false;
  switch (node.type) {
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
    case 'TSNonNullExpression':
    case 'TSTypeAssertion':
    case 'TSInstantiationExpression':
    case 'TSParameterProperty':
    case 'TSExternalModuleReference':
    case 'TSExportAssignment':
      return false;
    case 'TSEnumDeclaration':
    case 'TSModuleDeclaration':
      return Boolean(node.declare);
    case 'TSModuleBlock':
    case 'TSEnumMember':
    case 'TSEnumBody' as never:
    case 'TSImportEqualsDeclaration':
      return false;
    default:
      return true;
  }
}

/** The offset just past the token `text` that is found at or after `from`, comments passed over. */
export function findToken(source: string, text: string, from: number): number {
  let at = from;
  while (at < source.length) {
    if (source.startsWith('//', at)) {
      const end = source.indexOf('\n', at);
      at = end < 0 ? source.length : end;
    } else if (source.startsWith('/*', at)) {
      const end = source.indexOf('*/', at + 2);
      at = end < 0 ? source.length : end + 2;
    } else if (source.startsWith(text, at)) return at;
    else at++;
  }
  return -1;
}
