import type * as t from '@babel/types';
import type { DefinitionFact } from '../facts.ts';
import { keyName, type Node, staticPath, unwrap } from './ast.ts';
import { runsOnceAtLoad } from './functions.ts';
import type { DefinitionSite, Model } from './model.ts';
import { evaluate, readSettings } from './options.ts';
import { report } from './report.ts';

/** A definition that the compiler transforms, with the nodes of its options. */
export interface Definition {
  fact: DefinitionFact;
  site: DefinitionSite;
  /** Null for a definition that is reported and left as it is. */
  options: Map<string, t.ObjectProperty | t.ObjectMethod> | null;
}

const REQUIRED: Record<DefinitionFact['kind'], readonly string[]> = {
  action: ['slug', 'input', 'output', 'run'],
  workflow: ['slug', 'input', 'output', 'run'],
  agent: ['slug', 'systemPrompt', 'model'],
  credential: ['key'],
};

const CALL: Record<DefinitionFact['kind'], string> = {
  action: 'defineAction',
  workflow: 'defineWorkflow',
  agent: 'defineAgent',
  credential: 'defineCredential',
};

/**
 * Reads `defineAction`, `defineWorkflow`, `defineAgent` and `defineCredential` calls. The build has to know them without
 * running them, so the options are a literal at the top level of the module with a constant slug (6003), and the required
 * ones are there (6006).
 */
export function readDefinitions(model: Model): Definition[] {
  const exported = exportedNames(model);
  return model.definitions.map((site) => read(model, site, exported));
}

function read(model: Model, site: DefinitionSite, exported: Map<string, string[]>): Definition {
  const { call, kind } = site;
  const idName = kind === 'credential' ? 'key' : 'slug';
  const start = call.start as number;
  const end = call.end as number;
  const calleeEnd = call.callee.end as number;
  const callName = CALL[kind];
  const local = localOf(site);
  const fact: DefinitionFact = {
    kind,
    slug: null,
    slugSpan: null,
    name: null,
    description: null,
    local: local?.name ?? null,
    exported: exportsOf(site, local?.name ?? null, exported),
    span: model.positions.span(start, end),
    nameSpan: local
      ? model.positions.span(local.start as number, local.end as number)
      : model.positions.span(start, calleeEnd),
    options: [],
    references: [],
    unit: site.unit >= 0 ? site.unit : null,
  };
  const refuse = (at: Node, message: string, remedy: string): Definition => {
    report(model, 'definition-not-static', at.start as number, at.end as number, message, { remedy });
    return { fact, site, options: null };
  };
  if (!runsOnceAtLoad(site.ancestors, call))
    return refuse(
      call.callee,
      `${callName}() is called where the build cannot see what it defines: inside of a function, or on a condition.`,
      'Call it at the top level of the module.',
    );
  const argument = call.arguments[0] && unwrap(call.arguments[0] as Node);
  if (argument?.type !== 'ObjectExpression')
    return refuse(
      argument ?? call.callee,
      `${callName}() takes its options as an object literal: the build reads them without running the module.`,
      `Write ${callName}({ ${REQUIRED[kind].join(', ')} }) with the options in place.`,
    );
  const options = new Map<string, t.ObjectProperty | t.ObjectMethod>();
  for (const property of argument.properties) {
    if (property.type === 'SpreadElement')
      return refuse(
        property,
        `${callName}() cannot take options from a spread: the build reads them without running the module.`,
        'Write the options out.',
      );
    const name = keyName(property.key, property.computed);
    if (name === null)
      return refuse(property.key, `${callName}() cannot take an option with a computed name.`, 'Write the name out.');
    options.set(name, property);
  }
  fact.options = [...options.keys()];
  const text = (name: string): string | null => {
    const property = options.get(name);
    if (property?.type !== 'ObjectProperty') return null;
    const value = evaluate(property.value, model.module, 0);
    return typeof value === 'string' ? value : null;
  };
  fact.slug = text(idName);
  fact.name = text('name');
  fact.description = text('description');
  const slug = options.get(idName);
  if (slug) {
    const at = slug.type === 'ObjectProperty' ? slug.value : slug;
    fact.slugSpan = model.positions.span(at.start as number, at.end as number);
    if (at.type === 'StringLiteral') fact.slugLiteral = true;
    if (fact.slug === null)
      return refuse(
        at,
        `The ${idName} of ${callName}() is computed, and it is the id under which the build and every run know the definition.`,
        'Write it as a literal text.',
      );
  }
  const open = options.get('public');
  if (kind === 'credential' && open?.type === 'ObjectProperty') fact.public = texts(open.value, model);
  if (kind === 'action') {
    const settings = readSettings(model, options);
    if (Object.keys(settings).length > 0) fact.settings = settings;
  }
  const required = kind === 'credential' ? ['key', ...credentialNeeds(options, text('kind'))] : REQUIRED[kind];
  const missing = required.filter((name) => !options.has(name));
  if (missing.length > 0) {
    const list = missing.map((name) => `'${name}'`).join(missing.length === 2 ? ' and ' : ', ');
    report(model, 'missing-schema', call.callee.start as number, calleeEnd, `${callName}() lacks ${list}.`, {
      remedy:
        missing.includes('input') || missing.includes('output')
          ? 'Add the schemas, z.object({ … }) for example: they are checked at every call.'
          : 'Add what is missing.',
    });
    if (missing.includes(idName)) return { fact, site, options: null };
  }
  const chosen = options.get('model');
  const value = chosen?.type === 'ObjectProperty' ? unwrap(chosen.value) : null;
  const path = value && staticPath(value.type === 'CallExpression' ? (value.callee as Node) : value);
  if (path) fact.model = path;
  fact.references = [...elements(options.get('tools')), ...elements(options.get('credentials'))];
  const unit = model.units[site.unit];
  if (unit) unit.path = fact.slug ?? '';
  return { fact, site, options };
}

function texts(list: Node, model: Model): string[] {
  const inner = unwrap(list);
  const values =
    inner.type === 'ArrayExpression' ? inner.elements.map((each) => each && evaluate(each, model.module, 0)) : [];
  return values.filter((value) => typeof value === 'string');
}

/** Kinds that other SDKs have may need something else. */
function credentialNeeds(options: ReadonlyMap<string, unknown>, kind: string | null): string[] {
  if (kind === 'oauth') return options.has('issuer') ? [] : ['tokenUrl'];
  return options.has('kind') && kind !== 'fields' ? [] : ['fields'];
}

function elements(property: t.ObjectProperty | t.ObjectMethod | undefined): string[][] {
  if (property?.type !== 'ObjectProperty') return [];
  const value = unwrap(property.value);
  if (value.type !== 'ArrayExpression') return [];
  return value.elements.flatMap((element) => {
    const path = element && staticPath(element);
    return path ? [path] : [];
  });
}

function localOf(site: DefinitionSite): t.Identifier | null {
  for (let i = site.ancestors.length - 1; i >= 0; i--) {
    const node = site.ancestors[i] as Node;
    if (node.type === 'VariableDeclarator') return node.id.type === 'Identifier' ? node.id : null;
  }
  return null;
}

function exportsOf(site: DefinitionSite, local: string | null, exported: Map<string, string[]>): string[] {
  if (local !== null) return exported.get(local) ?? [];
  return site.ancestors.some((node) => node.type === 'ExportDefaultDeclaration') ? ['default'] : [];
}

/** Export names by local binding. */
export function exportedNames(model: Model): Map<string, string[]> {
  const names = new Map<string, string[]>();
  const add = (local: string, name: string) => names.set(local, [...(names.get(local) ?? []), name]);
  for (const node of model.program.body) {
    if (node.type === 'ExportNamedDeclaration' && node.exportKind !== 'type' && !node.source) {
      if (node.declaration?.type === 'VariableDeclaration')
        for (const { id } of node.declaration.declarations) for (const local of bindingNames(id)) add(local, local);
      else if (node.declaration && 'id' in node.declaration && node.declaration.id?.type === 'Identifier')
        add(node.declaration.id.name, node.declaration.id.name);
      for (const specifier of node.specifiers)
        if (specifier.type === 'ExportSpecifier' && specifier.exportKind !== 'type')
          add(
            specifier.local.name,
            specifier.exported.type === 'Identifier' ? specifier.exported.name : specifier.exported.value,
          );
    } else if (node.type === 'ExportDefaultDeclaration') {
      const value = unwrap(node.declaration);
      if (value.type === 'Identifier') add(value.name, 'default');
      else if ((value.type === 'FunctionDeclaration' || value.type === 'ClassDeclaration') && value.id)
        add(value.id.name, 'default');
    }
  }
  return names;
}

/** Names that a declaring pattern binds. */
export function bindingNames(id: Node): string[] {
  switch (id.type) {
    case 'Identifier':
      return [id.name];
    case 'ObjectPattern':
      return id.properties.flatMap((property) =>
        bindingNames(property.type === 'RestElement' ? property.argument : property.value),
      );
    case 'ArrayPattern':
      return id.elements.flatMap((element) => (element ? bindingNames(element) : []));
    case 'AssignmentPattern':
      return bindingNames(id.left);
    case 'RestElement':
      return bindingNames(id.argument);
    default:
      return [];
  }
}
