import type * as t from '@babel/types';
import type { ExportFact, ImportFact } from '../facts.ts';
import { keyName, type Node, staticPath, unwrap } from './ast.ts';
import { bindingNames } from './definitions.ts';
import type { Model } from './model.ts';

/** What a module takes from others, in every form that JavaScript and TypeScript have. */
export function readImports(model: Model): ImportFact[] {
  const imports: ImportFact[] = [];
  const span = (node: Node) => model.positions.span(node.start as number, node.end as number);
  for (const node of model.program.body) {
    if (node.type === 'ImportDeclaration') {
      const source = node.source.value;
      const typeOnly = node.importKind === 'type' || node.importKind === 'typeof';
      if (node.specifiers.length === 0)
        imports.push({ source, imported: '', local: '', form: 'import', typeOnly, span: span(node.source) });
      for (const specifier of node.specifiers) {
        const imported =
          specifier.type === 'ImportDefaultSpecifier'
            ? 'default'
            : specifier.type === 'ImportNamespaceSpecifier'
              ? '*'
              : nameOf(specifier.imported);
        const only =
          typeOnly ||
          (specifier.type === 'ImportSpecifier' &&
            (specifier.importKind === 'type' || specifier.importKind === 'typeof'));
        imports.push({
          source,
          imported,
          local: specifier.local.name,
          form: 'import',
          typeOnly: only,
          span: span(specifier),
        });
      }
    } else if (node.type === 'TSImportEqualsDeclaration' && node.moduleReference.type === 'TSExternalModuleReference')
      imports.push({
        source: (node.moduleReference.expression as t.StringLiteral).value,
        imported: '*',
        local: node.id.name,
        form: 'import-equals',
        typeOnly: node.importKind === 'type',
        span: span(node),
      });
  }
  for (const reference of model.requires)
    if (reference.topLevel && reference.specifier !== null)
      for (const { local, imported } of reference.locals)
        imports.push({
          source: reference.specifier,
          imported,
          local,
          form: reference.form,
          typeOnly: false,
          span: span(reference.node),
        });
  return imports;
}

/** What a module gives to others. */
export function readExports(model: Model): ExportFact[] {
  const found: ExportFact[] = [];
  const add = (
    node: Node,
    name: string,
    local: string | null,
    source: string | null = null,
    imported: string | null = null,
    typeOnly = false,
  ) =>
    found.push({
      name,
      local,
      source,
      imported,
      typeOnly,
      span: model.positions.span(node.start as number, node.end as number),
    });
  for (const node of model.program.body) {
    switch (node.type) {
      case 'ExportNamedDeclaration': {
        const typeOnly = node.exportKind === 'type';
        const { declaration } = node;
        if (declaration?.type === 'VariableDeclaration')
          for (const { id } of declaration.declarations) for (const name of bindingNames(id)) add(id, name, name);
        else if (declaration && 'id' in declaration && declaration.id?.type === 'Identifier')
          add(declaration.id, declaration.id.name, declaration.id.name, null, null, typeOnly);
        for (const specifier of node.specifiers) {
          const only = typeOnly || (specifier as t.ExportSpecifier).exportKind === 'type';
          const name = nameOf(specifier.exported);
          if (specifier.type === 'ExportNamespaceSpecifier')
            add(specifier, name, null, node.source?.value ?? null, '*', only);
          else if (specifier.type === 'ExportSpecifier') {
            const local = nameOf(specifier.local);
            if (node.source) add(specifier, name, null, node.source.value, local, only);
            else add(specifier, name, local, null, null, only);
          }
        }
        break;
      }
      case 'ExportDefaultDeclaration': {
        const value = unwrap(node.declaration);
        add(
          node,
          'default',
          value.type === 'Identifier' ? value.name : ((value as t.FunctionDeclaration).id?.name ?? 'default'),
        );
        break;
      }
      case 'ExportAllDeclaration':
        add(node, '*', null, node.source.value, '*', node.exportKind === 'type');
        break;
      case 'TSExportAssignment': {
        const value = unwrap(node.expression);
        add(node, 'default', value.type === 'Identifier' ? value.name : 'default');
        break;
      }
      case 'ExpressionStatement':
        if (node.expression.type === 'AssignmentExpression') commonJs(node.expression, add);
        break;
      default:
    }
  }
  return found;
}

function commonJs(node: t.AssignmentExpression, add: (node: Node, name: string, local: string | null) => void): void {
  const path = staticPath(node.left);
  if (!path) return;
  const value = unwrap(node.right);
  const rest =
    path[0] === 'module' && path[1] === 'exports' ? path.slice(2) : path[0] === 'exports' ? path.slice(1) : null;
  if (!rest) return;
  if (rest.length === 1) add(node, rest[0] as string, value.type === 'Identifier' ? value.name : (rest[0] as string));
  else if (rest.length === 0 && value.type === 'ObjectExpression') {
    for (const property of value.properties) {
      if (property.type === 'SpreadElement') continue;
      const name = keyName(property.key, property.computed);
      if (name === null) continue;
      const inner = property.type === 'ObjectProperty' ? unwrap(property.value) : null;
      add(property, name, inner?.type === 'Identifier' ? inner.name : `default.${name}`);
    }
  } else if (rest.length === 0) add(node, 'default', value.type === 'Identifier' ? value.name : 'default');
}

function nameOf(node: t.Identifier | t.StringLiteral): string {
  return node.type === 'Identifier' ? node.name : node.value;
}
