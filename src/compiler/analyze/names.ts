import type * as t from '@babel/types';
import { isFunction, keyName, type Node, staticPath } from './ast.ts';

/**
 * The name that a function's place gives it: variables, object paths, class members, default exports and the functions
 * around it, never its position among others. So code that is inserted elsewhere changes no id.
 */
export interface Place {
  /** `charge`, `fulfil/charge`, `Order#save`, `tools.search.execute`; null when nothing gives a name. */
  path: string | null;
  /** The last piece, for people. */
  name: string;
  /** The name was reached through a call argument, an array or a branch: a second such function would share it. */
  weak: boolean;
}

/** One function's or class's own piece of the path, built from the inside out. */
interface Piece {
  parts: { text: string; separator: '.' | '#' }[];
  named: boolean;
  /** Named by a member of `this`. */
  ofThis?: true;
}

/**
 * @param ancestors - the nodes around `node`, outermost first
 * @param node - a function or a class
 */
export function placeOf(ancestors: readonly Node[], node: Node): Place {
  if (hasUnknownKey(node)) return NAMELESS;
  const pieces: string[] = [];
  let weak = false;
  let piece = startPiece(node);
  let innermost: string | null = null;
  let child = node;

  const finish = (separator: string): boolean => {
    const text = join(piece);
    if (innermost === null) {
      if (text === '') return false;
      innermost = piece.parts[piece.parts.length - 1]?.text ?? text;
      pieces.unshift(text);
    } else if (text !== '') pieces.unshift(text + separator);
    return true;
  };

  for (let i = ancestors.length - 1; i >= 0; i--) {
    const parent = ancestors[i] as Node;
    if (isFunction(parent)) {
      const isBody = parent.body === child;
      if (innermost === null && isBody && parent.type === 'ArrowFunctionExpression' && child.type !== 'BlockStatement')
        nameReturned(piece);
      if (!finish('/')) return NAMELESS;
      piece = startPiece(parent);
    } else if (parent.type === 'TSModuleDeclaration') {
      if (!finish(pieces.length ? '/' : '')) return NAMELESS;
      piece = { parts: [{ text: moduleName(parent), separator: '.' }], named: true };
      pieces[0] = joinNamespace(pieces[0] as string);
    } else {
      if (parent.type === 'ReturnStatement' && innermost === null) nameReturned(piece);
      const through = climb(piece, parent, child);
      if (through === 'fail') {
        if (innermost === null) return NAMELESS;
      } else if (through === 'weak' && innermost === null && !piece.named) weak = true;
    }
    child = parent;
  }
  if (!finish('/')) return NAMELESS;
  const path = pieces.join('').replaceAll('/.', '.');
  return { path, name: innermost ?? path, weak };
}

const NAMELESS: Place = { path: null, name: 'anonymous', weak: false };

/** A method whose key only running the code would tell. */
function hasUnknownKey(node: Node): boolean {
  if (node.type !== 'ObjectMethod' && node.type !== 'ClassMethod') return false;
  return keyName(node.key, node.computed) === null;
}

function startPiece(node: Node): Piece {
  switch (node.type) {
    case 'ObjectMethod': {
      const name = keyName(node.key, node.computed);
      return { parts: name === null ? [] : [{ text: name, separator: '.' }], named: false };
    }
    case 'ClassMethod':
    case 'ClassPrivateMethod': {
      const name = keyName(node.key, (node as t.ClassMethod).computed);
      return { parts: name === null ? [] : [{ text: name, separator: node.static ? '.' : '#' }], named: false };
    }
    default: {
      const id = (node as t.FunctionExpression).id;
      return id ? { parts: [{ text: id.name, separator: '.' }], named: true } : { parts: [], named: false };
    }
  }
}

function climb(piece: Piece, parent: Node, child: Node): 'on' | 'weak' | 'fail' {
  switch (parent.type) {
    case 'VariableDeclarator':
      if (!piece.named) {
        if (parent.id.type !== 'Identifier') return 'weak';
        nameIt(piece, parent.id.name);
      }
      return 'on';
    case 'AssignmentPattern':
      if (!piece.named && parent.left.type === 'Identifier') nameIt(piece, parent.left.name);
      return 'on';
    case 'AssignmentExpression':
      if (!piece.named) {
        const target = staticPath(parent.left);
        if (!target) return 'fail';
        nameByTarget(piece, target);
      }
      return 'on';
    case 'ObjectProperty':
      if (!piece.named && parent.value === child) {
        const name = keyName(parent.key, parent.computed);
        if (name === null) return 'fail';
        piece.parts.unshift({ text: name, separator: '.' });
      }
      return 'on';
    case 'ClassProperty':
    case 'ClassPrivateProperty':
    case 'ClassAccessorProperty': {
      const name = keyName(parent.key, (parent as t.ClassProperty).computed);
      if (name === null) return 'fail';
      if (piece.named) piece.parts.length = 0;
      piece.named = false;
      piece.parts.unshift({ text: name, separator: parent.static ? '.' : '#' });
      return 'on';
    }
    case 'StaticBlock':
      // What is named in it belongs to the class: `static { const save = …; this.save = … }`.
      if (piece.parts.length === 1 || piece.ofThis) piece.named = false;
      return 'on';
    case 'ClassDeclaration':
    case 'ClassExpression':
      if (parent.id && !piece.named) nameIt(piece, parent.id.name);
      return 'on';
    case 'ExportDefaultDeclaration':
    case 'TSExportAssignment':
      if (!piece.named) nameIt(piece, 'default');
      return 'on';
    case 'JSXAttribute':
      if (!piece.named && parent.name.type === 'JSXIdentifier') nameIt(piece, parent.name.name);
      return 'on';
    case 'ExpressionStatement':
      // A callback of a bare call: only the keys of an object around it can name it.
      if (!piece.named) piece.named = piece.parts.length > 0;
      return 'on';
    case 'CallExpression':
    case 'OptionalCallExpression':
    case 'NewExpression':
    case 'ArrayExpression':
    case 'ConditionalExpression':
    case 'LogicalExpression':
    case 'SequenceExpression':
    case 'SpreadElement':
    case 'TemplateLiteral':
    case 'TaggedTemplateExpression':
      return 'weak';
    default:
      return 'on';
  }
}

/** A returned function is its maker's `return`; a member of a returned object has its key. */
function nameReturned(piece: Piece): void {
  if (piece.parts.length > 0) piece.named = true;
  else nameIt(piece, 'return');
}

function nameIt(piece: Piece, name: string): void {
  if (piece.named) return;
  piece.parts.unshift({ text: name, separator: '.' });
  piece.named = true;
}

/** `exports.charge`, `module.exports`, `Order.prototype.save`, `this.save`, `tools.search.run`. */
function nameByTarget(piece: Piece, target: string[]): void {
  let path = target;
  if (path[0] === 'this') piece.ofThis = true;
  if (path[0] === 'module' && path[1] === 'exports') path = path.slice(2);
  else if (path[0] === 'exports' || path[0] === 'this') path = path.slice(1);
  if (path.length === 0 && piece.parts.length === 0) path = ['default'];
  const parts: Piece['parts'] = [];
  for (let i = 0; i < path.length; i++) {
    if (path[i] === 'prototype' && i > 0 && i < path.length - 1) continue;
    parts.push({ text: path[i] as string, separator: i > 0 && path[i - 1] === 'prototype' ? '#' : '.' });
  }
  piece.parts.unshift(...parts);
  piece.named = true;
}

function join(piece: Piece): string {
  return piece.parts.map((part, i) => (i === 0 ? '' : part.separator) + part.text).join('');
}

function moduleName(node: t.TSModuleDeclaration): string {
  return node.id.type === 'Identifier' ? node.id.name : node.id.value;
}

function joinNamespace(piece: string): string {
  return piece.startsWith('.') ? piece : `.${piece}`;
}
