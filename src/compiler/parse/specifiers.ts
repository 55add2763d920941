import type * as t from '@babel/types';
import { eachChild, isFunction, isTypeOnly, type Node } from '../analyze/ast.ts';
import { parseModule } from './parse.ts';

/** One mention of another module that is left when types are gone. */
export interface Specifier {
  specifier: string;
  /** `import` and `export` statements load with the module; the others when they are reached. */
  form: 'static' | 'dynamic';
  /** Offsets of the specifier, quotes included. */
  start: number;
  end: number;
  /** It may fail: it stands in a `try` with a `catch`, or has a `.catch()` of its own. */
  guarded: boolean;
}

/**
 * The modules that a module loads: statements, `import()`, `require()`. As in TypeScript's output, an import of which nothing is
 * used as a value is none.
 *
 * @param source - text of the module
 * @param file - its path; only the ending matters
 * @returns in source order; what does not parse has none
 */
export function readSpecifiers(source: string, file: string): Specifier[] {
  const { program } = parseModule(source, file);
  if (!program) return [];
  const walker = new Walker();
  walker.visit(program);
  const elides = /\.[cm]?tsx?$/.test(file);
  const found = walker.found.filter(({ names }) => !elides || names === null || names.some((n) => walker.names.has(n)));
  return found.filter(({ required }) => !(required && walker.hasOwnRequire)).map(({ entry }) => entry);
}

interface Found {
  entry: Specifier;
  /** Local names that it declares; null when it is kept whatever is used. */
  names: string[] | null;
  required: boolean;
}

class Walker {
  readonly found: Found[] = [];
  /** Names that are mentioned as values; too many rather than too few. */
  readonly names = new Set<string>();
  /** `const require = createRequire(…)` resolves from somewhere else. */
  hasOwnRequire = false;
  #guards = 0;

  visit(node: Node): void {
    if (isTypeOnly(node)) return;
    switch (node.type) {
      case 'ImportDeclaration':
        this.#import(node);
        return;
      case 'ExportAllDeclaration':
      case 'ExportNamedDeclaration':
        if (node.exportKind === 'type') return;
        if (node.source) this.#add(node.source, 'static', null);
        else eachChild(node, (child) => this.visit(child));
        return;
      case 'TSImportEqualsDeclaration':
        if (node.importKind === 'type') return;
        if (node.moduleReference.type === 'TSExternalModuleReference')
          this.#add(node.moduleReference.expression as Node, 'static', node.isExport ? null : [node.id.name]);
        else this.visit(node.moduleReference);
        return;
      case 'TryStatement':
        if (node.handler) this.#guarded(() => this.visit(node.block));
        else this.visit(node.block);
        if (node.handler) this.visit(node.handler);
        if (node.finalizer) this.visit(node.finalizer);
        return;
      case 'CallExpression':
      case 'OptionalCallExpression':
        this.#call(node);
        return;
      case 'ImportExpression':
        this.#add(node.source, 'dynamic', null);
        return;
      case 'MemberExpression':
      case 'OptionalMemberExpression':
        this.visit(node.object);
        if (node.computed) this.visit(node.property);
        return;
      case 'ObjectProperty':
        if (node.computed) this.visit(node.key);
        this.visit(node.value as Node);
        return;
      case 'VariableDeclarator':
        if (node.id.type === 'Identifier' && node.id.name === 'require') this.hasOwnRequire = true;
        break;
      case 'Identifier':
      case 'JSXIdentifier':
        this.names.add(node.name);
        return;
      default:
        if (isFunction(node)) {
          for (const parameter of node.params)
            if (parameter.type === 'Identifier' && parameter.name === 'require') this.hasOwnRequire = true;
        }
    }
    eachChild(node, (child) => this.visit(child));
  }

  #import(node: t.ImportDeclaration): void {
    if (node.importKind === 'type' || node.importKind === 'typeof') return;
    const values = node.specifiers.filter(
      (specifier) => !(specifier.type === 'ImportSpecifier' && specifier.importKind === 'type'),
    );
    if (node.specifiers.length > 0 && values.length === 0) return;
    for (const { local } of values) if (local.name === 'require') this.hasOwnRequire = true;
    this.#add(node.source, 'static', values.length === 0 ? null : values.map(({ local }) => local.name));
  }

  #call(node: t.CallExpression | t.OptionalCallExpression): void {
    const { callee } = node;
    const [first] = node.arguments;
    if (callee.type === 'Import') this.#add(first as Node, 'dynamic', null);
    else if (callee.type === 'Identifier' && callee.name === 'require') this.#add(first as Node, 'dynamic', null, true);
    const handles =
      (callee.type === 'MemberExpression' || callee.type === 'OptionalMemberExpression') &&
      callee.property.type === 'Identifier' &&
      (callee.property.name === 'catch' || (callee.property.name === 'then' && node.arguments.length > 1));
    if (handles) this.#guarded(() => this.visit(callee));
    else this.visit(callee);
    for (const argument of node.arguments) this.visit(argument);
  }

  #guarded(visit: () => void): void {
    this.#guards++;
    visit();
    this.#guards--;
  }

  #add(source: Node | undefined, form: Specifier['form'], names: string[] | null, required = false): void {
    const specifier = textOf(source);
    if (!source || specifier === null) {
      if (source) this.visit(source);
      return;
    }
    const { start, end } = source as { start: number; end: number };
    const guarded = form === 'dynamic' && this.#guards > 0;
    this.found.push({ entry: { specifier, form, start, end, guarded }, names, required });
  }
}

function textOf(node: Node | undefined): string | null {
  if (node?.type === 'StringLiteral') return node.value;
  if (node?.type !== 'TemplateLiteral' || node.expressions.length > 0) return null;
  return node.quasis[0]?.value.cooked ?? null;
}
