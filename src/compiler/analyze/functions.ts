import type * as t from '@babel/types';
import type { TextEdit } from '../../diagnostics/types.ts';
import type { FunctionFact } from '../facts.ts';
import { findToken, isFunction, type Node } from './ast.ts';
import { addCaptures, checkCaptures } from './captures.ts';
import { directiveOf, exactDirective } from './directives.ts';
import type { DirectiveFunction, DirectiveSite, Model } from './model.ts';
import { placeOf } from './names.ts';
import { report } from './report.ts';
import { checkThis } from './this.ts';

/**
 * Judges every function with a directive: can it be what it says, what is its name, does it stay in its place or move to
 * the top level, what does it take along. What cannot work is reported and left out of the result.
 */
export function judgeFunctions(model: Model): DirectiveFunction[] {
  const judged: {
    site: DirectiveSite;
    place: ReturnType<typeof placeOf>;
    placement: FunctionFact['placement'];
    home: Node;
  }[] = [];
  for (const site of model.directives) {
    checkDoubles(model, site);
    if (!checkAsync(model, site)) continue;
    const placed = placementOf(model, site);
    if (!placed || !checkThis(model, site, placed.placement)) continue;
    const place = placeOf(site.ancestors, site.node);
    if (place.path === null) {
      reportNameless(model, site, null);
      continue;
    }
    judged.push({ site, place, ...placed });
  }
  const byPath = new Map<string, typeof judged>();
  for (const entry of judged) {
    const path = entry.place.path as string;
    const group = byPath.get(path);
    if (group) group.push(entry);
    else byPath.set(path, [entry]);
  }
  const functions: DirectiveFunction[] = [];
  for (const entry of judged) {
    const path = entry.place.path as string;
    const group = byPath.get(path) as typeof judged;
    if (group.length > 1 && entry.place.weak) {
      reportNameless(model, entry.site, path);
      continue;
    }
    functions.push(describe(model, entry.site, entry.placement, entry.home, path, entry.place.name));
  }
  addCaptures(model, functions);
  return functions.filter((fn) => checkCaptures(model, fn));
}

function describe(
  model: Model,
  site: DirectiveSite,
  placement: FunctionFact['placement'],
  home: Node,
  path: string,
  name: string,
): DirectiveFunction {
  const { node, info } = site;
  const unit = model.units[site.unit];
  const start = node.start as number;
  const end = node.end as number;
  const id = `${model.packageName ? `${model.packageName}/` : ''}${model.file}#${path}`;
  if (unit) unit.path = path;
  const parameters = node.params.filter((param) => !(param.type === 'Identifier' && param.name === 'this')).length;
  return {
    fact: {
      kind: site.kind,
      id,
      path,
      name,
      span: model.positions.span(start, end),
      nameSpan: unit ? unit.nameSpan : model.positions.span(start, end),
      directiveSpan: model.positions.span(site.directive.start as number, site.directive.end as number),
      fromModule: site.fromModule,
      placement,
      captures: [],
      usesThis: !info.arrow && (info.thisAt !== null || (node.type === 'ClassPrivateMethod' && !node.static)),
      options: {},
      parameters,
      unit: site.unit,
      text: { start, end },
    },
    site,
    home,
    selfName: null,
    lexicalThis: false,
  };
}

// ------------------------------------------------------------------ checks

function checkDoubles(model: Model, site: DirectiveSite): void {
  const body = site.node.body;
  if (body.type !== 'BlockStatement') return;
  const literal = `'use ${site.kind}'`;
  const all = body.directives.filter((directive) => exactDirective(directive.value.value));
  const other = all.find((directive) => exactDirective(directive.value.value) !== site.kind);
  if (other)
    report(
      model,
      'directive-misplaced',
      other.start as number,
      other.end as number,
      `This function already has ${literal}: it cannot be a step and a workflow at once.`,
      {
        remedy: 'Keep one of the two; let a workflow orchestrate and call a step that does the work.',
      },
    );
  const moduleDirective = model.program.directives.find((directive) => exactDirective(directive.value.value));
  const own = directiveOf(site.node);
  if (!moduleDirective || !own || !isExported(site)) return;
  const moduleKind = exactDirective(moduleDirective.value.value);
  const start = own.node.start as number;
  const end = own.node.end as number;
  const related = [
    { start: moduleDirective.start as number, end: moduleDirective.end as number, message: "the module's directive" },
  ];
  if (moduleKind === site.kind)
    report(
      model,
      'duplicate-directive',
      start,
      end,
      `The module's ${literal} already speaks for this exported function.`,
      {
        remedy: 'Remove the directive here.',
        related,
        fix: { title: 'Remove the directive', edits: [{ start, end: lineEnd(model.source, end), text: '' }] },
      },
    );
  else
    report(
      model,
      'directive-misplaced',
      start,
      end,
      `The module's directive makes this function a ${moduleKind}, its own says ${site.kind}.`,
      {
        remedy: 'Move the function to a module without a directive, or give each function its own.',
        related,
      },
    );
}

function isExported(site: DirectiveSite): boolean {
  const parent = site.ancestors[site.ancestors.length - 1];
  const above = site.ancestors[site.ancestors.length - 3];
  return (
    parent?.type === 'ExportNamedDeclaration' ||
    parent?.type === 'ExportDefaultDeclaration' ||
    (parent?.type === 'VariableDeclarator' && above?.type === 'ExportNamedDeclaration')
  );
}

function lineEnd(source: string, end: number): number {
  return source[end] === ';' ? end + 1 : end;
}

function checkAsync(model: Model, site: DirectiveSite): boolean {
  const { node, kind } = site;
  if (node.async && !node.generator) return true;
  const at = (node as t.FunctionExpression).id ?? (node as t.ObjectMethod).key ?? site.directive;
  const start = at.start as number;
  const end = at.end as number;
  const methodKind = (node as t.ClassMethod).kind;
  if (node.generator) {
    report(model, 'directive-not-async', start, end, `A ${kind} returns one result, so it cannot be a generator.`, {
      remedy:
        kind === 'step'
          ? 'Return the values as an array, or write them to a stream.'
          : 'Write an async function and await each step.',
    });
    return false;
  }
  if (methodKind === 'get' || methodKind === 'set' || methodKind === 'constructor') {
    const noun = methodKind === 'constructor' ? 'constructor' : `${methodKind}ter`;
    report(model, 'directive-not-async', start, end, `A ${noun} cannot be async, so it cannot be a ${kind}.`, {
      remedy:
        methodKind === 'constructor' ? 'Move the work to a static async method.' : 'Write an async method instead.',
    });
    return false;
  }
  const insert = asyncInsertion(site);
  const promised = promiseEdits(site);
  report(
    model,
    'directive-not-async',
    start,
    end,
    `A ${kind} is called through the event log, so it has to be async.`,
    {
      remedy: "Add 'async'.",
      ...(promised && {
        fix: { title: "Add 'async'", edits: [{ start: insert, end: insert, text: 'async ' }, ...promised] },
      }),
    },
  );
  return false;
}

/** `: T` of a function that becomes async is `: Promise<T>`; null for what cannot be one. */
function promiseEdits({ node }: DirectiveSite): TextEdit[] | null {
  const { returnType } = node as t.FunctionDeclaration;
  if (returnType?.type !== 'TSTypeAnnotation') return [];
  const type = returnType.typeAnnotation;
  if (type.type === 'TSTypePredicate') return null;
  if (type.type === 'TSTypeReference' && type.typeName.type === 'Identifier' && type.typeName.name === 'Promise')
    return [];
  const [start, end] = [type.start as number, type.end as number];
  return [
    { start, end: start, text: 'Promise<' },
    { start: end, end, text: '>' },
  ];
}

function asyncInsertion(site: DirectiveSite): number {
  const { node } = site;
  if (node.type === 'ObjectMethod' || node.type === 'ClassMethod')
    return (node.key.start as number) - (node.computed ? 1 : 0);
  if (node.type === 'ClassPrivateMethod') return node.key.start as number;
  return node.start as number;
}

// --------------------------------------------------------------- placement

/** Whether code at this place runs exactly once, when the module is loaded. */
export function runsOnceAtLoad(ancestors: readonly Node[], node: Node): boolean {
  let child = node;
  for (let i = ancestors.length - 1; i >= 0; i--) {
    const parent = ancestors[i] as Node;
    switch (parent.type) {
      case 'ConditionalExpression':
        if (parent.test !== child) return false;
        break;
      case 'LogicalExpression':
        if (parent.left !== child) return false;
        break;
      case 'ClassProperty':
      case 'ClassPrivateProperty':
      case 'ClassAccessorProperty':
        if (!parent.static && parent.value === child) return false;
        break;
      case 'AssignmentExpression':
        if (parent.operator !== '=') return false;
        break;
      case 'AssignmentPattern':
      case 'OptionalCallExpression':
      case 'OptionalMemberExpression':
      case 'BlockStatement':
      case 'IfStatement':
      case 'ForStatement':
      case 'ForInStatement':
      case 'ForOfStatement':
      case 'WhileStatement':
      case 'DoWhileStatement':
      case 'SwitchStatement':
      case 'SwitchCase':
      case 'TryStatement':
      case 'CatchClause':
      case 'LabeledStatement':
      case 'StaticBlock':
        return false;
      default:
        if (isFunction(parent)) return false;
    }
    child = parent;
  }
  return true;
}

function placementOf(model: Model, site: DirectiveSite): { placement: FunctionFact['placement']; home: Node } | null {
  const { node, kind, ancestors } = site;
  const at = model.units[site.unit]?.nameSpan ?? { start: node.start as number, end: node.end as number };
  const once = runsOnceAtLoad(ancestors, node);
  const home = homeOf(model, site);
  if (node.type === 'ClassMethod' || node.type === 'ClassPrivateMethod') {
    if (!once) {
      report(
        model,
        'directive-not-transformable',
        at.start,
        at.end,
        `A ${kind} method has to belong to a class at the top level of its module: a class inside of a function does not exist when the ${kind} runs again after a crash.`,
        {
          remedy: 'Move the class to the top level, or write a function.',
        },
      );
      return null;
    }
    if (kind === 'workflow' && !node.static) {
      report(
        model,
        'directive-not-transformable',
        at.start,
        at.end,
        'A workflow is started by its id, so it cannot be an instance method: there is no instance to call it on.',
        {
          remedy: 'Make the method static and pass the instance as an argument.',
        },
      );
      return null;
    }
    return { placement: 'method', home };
  }
  if (!once && kind === 'workflow') {
    const inside = enclosing(ancestors);
    report(
      model,
      'directive-not-transformable',
      at.start,
      at.end,
      `A workflow is started by its id, so it has to exist once the module is loaded; this one is made ${inside}.`,
      {
        remedy: 'Move the workflow to the top level of the module and pass what it needs as arguments.',
      },
    );
    return null;
  }
  if (!once && home === null) {
    report(
      model,
      'directive-not-transformable',
      at.start,
      at.end,
      `This ${kind} uses a private member of a class that is made inside of a function.`,
      {
        remedy: 'Move the class to the top level of the module.',
      },
    );
    return null;
  }
  if (once) return { placement: node.type === 'FunctionDeclaration' ? 'declaration' : 'inline', home: home as Node };
  return { placement: 'hoisted', home: home as Node };
}

function enclosing(ancestors: readonly Node[]): string {
  for (let i = ancestors.length - 1; i >= 0; i--) if (isFunction(ancestors[i] as Node)) return 'inside of a function';
  return 'only on a condition';
}

/** Where a function that has to move goes; null when it needs a class that is no place to go. */
function homeOf(model: Model, site: DirectiveSite): Node {
  const { ancestors, info } = site;
  for (let i = ancestors.length - 1; i >= 0; i--) {
    const node = ancestors[i] as Node;
    const isField = node.type === 'ClassBody' && (ancestors[i + 1]?.type ?? '').endsWith('Property');
    if (node.type === 'ClassBody' && (info.privateAt || isField)) {
      if (runsOnceAtLoad(ancestors.slice(0, i), node)) return node;
      return null as unknown as Node;
    }
    if (node.type === 'TSModuleBlock') return node;
  }
  return model.program;
}

// ----------------------------------------------------------------- naming

function reportNameless(model: Model, site: DirectiveSite, shared: string | null): void {
  const { node, kind } = site;
  const at = model.units[site.unit]?.nameSpan ?? { start: node.start as number, end: node.end as number };
  const fix = namingFix(model, site);
  report(
    model,
    'unstable-id',
    at.start,
    at.end,
    shared === null
      ? `Nothing at this place names the ${kind}, and a number would change with every edit around it.`
      : `Two functions at places like this would share the id '${shared}'; a number would change with every edit around it.`,
    {
      remedy: isNameable(site)
        ? `Name the function: async function ${suggestedName(model, site)}(…) { … }`
        : 'Write the name of the member out: what a computed key is, only the running code knows.',
      ...(fix ? { fix } : {}),
    },
  );
}

/** Whether a name of its own names the place: a member of a class is called by its key, whatever the function in it is called. */
function isNameable({ node, ancestors }: DirectiveSite): boolean {
  if (node.type !== 'FunctionExpression' && node.type !== 'ArrowFunctionExpression') return false;
  const named = { type: 'FunctionExpression', id: { type: 'Identifier', name: 'named' } } as Node;
  return placeOf(ancestors, named).path !== null;
}

function suggestedName(model: Model, site: DirectiveSite): string {
  const { path } = placeOf(site.ancestors, site.node);
  const last = path?.split(/[/.#]/).pop();
  const base =
    last && /^[A-Za-z_$][\w$]*$/.test(last) && last !== 'return' && last !== 'default'
      ? `${last}${site.kind === 'step' ? 'Step' : 'Workflow'}`
      : site.kind === 'step'
        ? 'namedStep'
        : 'namedWorkflow';
  const taken = (name: string) => new RegExp(`\\b${name.replaceAll('$', '\\$')}\\b`).test(model.source);
  let name = base;
  const nth = model.directives.indexOf(site) + 1;
  if (model.directives.length > 1) name = `${base}${nth}`;
  while (taken(name)) name += '_';
  return name;
}

function namingFix(model: Model, site: DirectiveSite) {
  const { node, info } = site;
  if (!isNameable(site)) return null;
  const name = suggestedName(model, site);
  const title = `Name the function '${name}'`;
  const { source } = model;
  if (node.type === 'FunctionExpression') {
    const word = findToken(source, 'function', node.start as number) + 'function'.length;
    return { title, edits: [{ start: word, end: word, text: ` ${name}` }] };
  }
  if (node.type !== 'ArrowFunctionExpression' || info.thisAt || info.argumentsAt || node.body.type !== 'BlockStatement')
    return null;
  const start = node.start as number;
  const afterAsync = start + 'async'.length;
  const lastParam = node.params[node.params.length - 1];
  const arrow = findToken(source, '=>', (node.returnType?.end ?? lastParam?.end ?? afterAsync) as number);
  const parenthesized = /^\s*(?:<|\()/.test(source.slice(afterAsync));
  const head = parenthesized ? source.slice(afterAsync, arrow).trim() : `(${source.slice(afterAsync, arrow).trim()})`;
  return { title, edits: [{ start, end: arrow + 2, text: `async function ${name}${head}` }] };
}
