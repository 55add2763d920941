import type * as t from '@babel/types';
import type { DirectiveKind } from '../facts.ts';
import { isFunction, isTypeOnly, keyName, type Node, staticPath, unwrap } from './ast.ts';
import { exactDirective } from './directives.ts';
import type { Model } from './model.ts';
import { report } from './report.ts';

/**
 * A directive at the top of a module speaks for every function that the module exports. This pass finds those functions in
 * every export form, and refuses exports that cannot be a step or a workflow (rule 1006): a value that the workflow side
 * would read has no place in a module whose bodies leave it.
 */
export interface ModuleDirective {
  kind: DirectiveKind;
  node: t.Directive;
  marked: Map<Node, { kind: DirectiveKind; directive: Node }>;
}

export function findModuleDirective(model: Model): ModuleDirective | null {
  const found = model.program.directives.filter((directive) => exactDirective(directive.value.value));
  const node = found[0];
  if (!node) return null;
  const kind = exactDirective(node.value.value) as DirectiveKind;
  const other = found.find((directive) => exactDirective(directive.value.value) !== kind);
  if (other)
    report(
      model,
      'directive-misplaced',
      other.start as number,
      other.end as number,
      `The module already has '${node.value.value}': its functions cannot be steps and workflows at once.`,
      {
        remedy: 'Keep one directive for the module, or put the directives into the functions.',
      },
    );
  const result: ModuleDirective = { kind, node, marked: new Map() };
  const exportsOf = new ExportMarker(model, result);
  const before = model.diagnostics.length;
  for (const statement of model.program.body) exportsOf.statement(statement);
  if (result.marked.size === 0 && model.diagnostics.length === before)
    report(
      model,
      'module-directive-export',
      node.start as number,
      node.end as number,
      `'${node.value.value}' speaks for the functions that the module exports, and this one exports none that can be seen.`,
      { remedy: 'Export the functions by name, or put the directive into the function that it is meant for.' },
    );
  return result;
}

class ExportMarker {
  readonly #model: Model;
  readonly #directive: ModuleDirective;
  readonly #noun: string;

  constructor(model: Model, directive: ModuleDirective) {
    this.#model = model;
    this.#directive = directive;
    this.#noun = directive.kind;
  }

  statement(node: t.Statement): void {
    switch (node.type) {
      case 'ExportNamedDeclaration':
        if (node.exportKind === 'type') return;
        if (node.declaration) this.#declaration(node.declaration);
        else if (node.source) {
          if (node.specifiers.some((specifier) => (specifier as t.ExportSpecifier).exportKind !== 'type'))
            this.#refuse(node, 're-exports what another module decides');
        } else for (const specifier of node.specifiers) this.#specifier(specifier);
        return;
      case 'ExportDefaultDeclaration':
        this.#value(node.declaration, 'the default export');
        return;
      case 'ExportAllDeclaration':
        if (node.exportKind !== 'type') this.#refuse(node, 're-exports what another module decides');
        return;
      case 'TSExportAssignment':
        this.#value(node.expression, 'the export');
        return;
      case 'ExpressionStatement':
        if (node.expression.type === 'AssignmentExpression') this.#commonJs(node.expression);
        return;
      default:
    }
  }

  #declaration(node: t.Declaration): void {
    if (isTypeOnly(node) || (node as t.VariableDeclaration).declare) return;
    if (node.type === 'FunctionDeclaration') this.#mark(node, node.id?.name ?? 'default');
    else if (node.type === 'VariableDeclaration') {
      for (const declarator of node.declarations) {
        if (declarator.id.type !== 'Identifier') this.#refuse(declarator, 'exports the parts of a value');
        else if (declarator.init) this.#value(declarator.init, `'${declarator.id.name}'`, declarator);
        else this.#refuse(declarator, `exports '${declarator.id.name}', a variable without a function`);
      }
    } else if (node.type === 'ClassDeclaration')
      this.#refuse(node, `exports the class '${node.id?.name ?? 'default'}'`);
    else this.#refuse(node, 'exports a value');
  }

  #specifier(specifier: t.ExportNamedDeclaration['specifiers'][number]): void {
    if (specifier.type !== 'ExportSpecifier' || specifier.exportKind === 'type') return;
    this.#local(specifier.local.name, specifier);
  }

  /** A binding of the module that is exported by name. */
  #local(name: string, at: Node): void {
    for (const statement of this.#model.program.body) {
      const node =
        statement.type === 'ExportNamedDeclaration' && statement.declaration ? statement.declaration : statement;
      if (node.type === 'FunctionDeclaration' && node.id?.name === name) return this.#mark(node, name);
      if (isTypeOnly(node) && 'id' in node && (node.id as t.Identifier)?.name === name) return;
      if (node.type === 'VariableDeclaration')
        for (const declarator of node.declarations)
          if (declarator.id.type === 'Identifier' && declarator.id.name === name && declarator.init)
            return this.#value(declarator.init, `'${name}'`, declarator);
      if (node.type === 'ImportDeclaration') {
        const specifier = node.specifiers.find((candidate) => candidate.local.name === name);
        if (specifier) {
          if (node.importKind === 'type' || (specifier as t.ImportSpecifier).importKind === 'type') return;
          return this.#refuse(at, 're-exports what another module decides');
        }
      }
    }
    this.#refuse(at, `exports '${name}', which is no function of this module`);
  }

  #value(node: Node, label: string, at: Node = node): void {
    const inner = unwrap(node);
    if (isFunction(inner)) this.#mark(inner, label);
    else if (inner.type === 'Identifier' && inner.name !== 'undefined') this.#local(inner.name, at);
    else if (!isTypeOnly(inner))
      this.#refuse(
        at,
        `exports ${label === 'the default export' ? 'a default' : label} that is not a function of its own`,
      );
  }

  #commonJs(node: t.AssignmentExpression): void {
    const path = staticPath(node.left)?.join('.');
    if (!path) return;
    if (path === 'module.exports') {
      const inner = unwrap(node.right);
      if (inner.type !== 'ObjectExpression') return this.#value(inner, 'module.exports');
      for (const property of inner.properties) {
        if (property.type === 'SpreadElement') this.#refuse(property, 'spreads exports');
        else if (property.type === 'ObjectMethod')
          this.#mark(property, keyName(property.key, property.computed) ?? 'computed');
        else this.#value(property.value, `'${keyName(property.key, property.computed) ?? 'computed'}'`, property);
      }
    } else if (/^(?:module\.)?exports\.[^.]+$/.test(path)) this.#value(node.right, `'${path.split('.').pop()}'`, node);
  }

  #mark(node: Node, label: string): void {
    const fn = node as t.FunctionDeclaration;
    if (fn.declare || !fn.body) return;
    if (!fn.async || fn.generator) {
      const start = fn.start as number;
      report(
        this.#model,
        'module-directive-export',
        (fn.id ?? fn).start as number,
        (fn.id ?? fn).end as number,
        `Under '${this.#directive.node.value.value}' every exported function is a ${this.#noun}, and ${label.startsWith("'") || label.includes(' ') ? label : `'${label}'`} is ${fn.generator ? 'a generator' : 'not async'}.`,
        {
          remedy: fn.generator
            ? 'Return a value, or move the function to another module.'
            : "Add 'async', or move the function to another module.",
          ...(fn.generator ||
          (fn.type !== 'FunctionDeclaration' &&
            fn.type !== ('ArrowFunctionExpression' as string) &&
            fn.type !== ('FunctionExpression' as string))
            ? {}
            : { fix: { title: "Add 'async'", edits: [{ start, end: start, text: 'async ' }] } }),
        },
      );
      return;
    }
    this.#directive.marked.set(node, { kind: this.#directive.kind, directive: this.#directive.node });
  }

  #refuse(at: Node, what: string): void {
    report(
      this.#model,
      'module-directive-export',
      at.start as number,
      at.end as number,
      `A module with '${this.#directive.node.value.value}' may export async functions and types only, but it ${what}.`,
      {
        remedy: `Move this export to a module without the directive, or put '${this.#directive.node.value.value}' into the functions instead.`,
      },
    );
  }
}
