import type * as t from '@babel/types';
import type { Fix } from '../../diagnostics/types.ts';
import type { ActionFact, AgentFact, OptionalFact, ToolFact, ToolSetFact } from '../call-facts.ts';
import { eachChild, type FunctionNode, isFunction, keyName, type Node, staticPath, unwrap } from './ast.ts';
import type { CallContext } from './calls-context.ts';
import { propertyOf } from './calls-walk.ts';

/** Definitions and tools, as far as they have to do with models and secrets. */
export function readAgents(context: CallContext): void {
  const { out } = context;
  const actions: ActionFact[] = [];
  const agents: AgentFact[] = [];
  const optionals: OptionalFact[] = [];
  context.model.definitions.forEach(({ kind, call }, definition) => {
    const options = call.arguments[0] as Node | undefined;
    if (kind === 'action') actions.push(actionOf(context, definition, options));
    else if (kind !== 'credential') {
      const agent = agentOf(context, definition, options, kind);
      if (agent) agents.push(agent);
      if (kind === 'agent') optionals.push(...optionalsIn(context, options, { definition }));
    }
  });
  for (const { node } of context.walk.calls) {
    const site = context.sites.get(node);
    if (site !== undefined) optionals.push(...optionalsIn(context, node.arguments[0] as Node | undefined, { site }));
  }
  for (const { node } of context.walk.calls) {
    if (node.type !== 'NewExpression' || !isDurableAgent(context, node.callee as Node)) continue;
    const given = propertyOf(node.arguments[0] as Node | undefined, 'tools');
    const named = given ? namedTools(context, context.through(given)) : [];
    if (named.length > 0) agents.push({ definition: -1, tools: named });
  }
  const tools = toolsOf(context);
  if (actions.length > 0) out.actions = actions;
  if (agents.length > 0) out.agents = agents;
  if (optionals.length > 0) out.optionals = optionals;
  if (tools.length > 0) out.tools = tools;
}

function actionOf(context: CallContext, definition: number, options: Node | undefined): ActionFact {
  const fact: ActionFact = { definition, declared: declaredIn(options), asked: [], leaked: [], formless: [] };
  const input = propertyOf(options, 'input');
  if (input && !isFunction(input)) fact.formless = formlessIn(context, input);
  const run = propertyOf(options, 'run');
  const parameter = run && isFunction(run) ? run.params[1] : undefined;
  if (!run || !isFunction(run) || !parameter) return fact;
  const secrets = new Secrets(context, parameter);
  fact.asked = secrets.asked;
  for (const node of resultsOf(run))
    for (const secret of secrets.within(node)) fact.leaked.push(leakOf(context, secrets, secret));
  for (const { node } of context.walk.calls) {
    const site = context.sites.get(node);
    const isInside = (node.start as number) >= (run.start as number) && (node.end as number) <= (run.end as number);
    if (site === undefined || !isInside) continue;
    for (const argument of node.arguments)
      for (const secret of secrets.within(argument as Node))
        fact.leaked.push({ ...leakOf(context, secrets, secret), site });
  }
  return fact;
}

function leakOf(context: CallContext, secrets: Secrets, node: Node): ActionFact['leaked'][number] {
  return { path: staticPath(node) ?? [], span: context.span(node), secret: secrets.secretOf(node) };
}

/** Paths of the listed credentials; null where the list is not a literal of names. */
function declaredIn(options: Node | undefined): string[][] | null {
  const object = options && unwrap(options);
  if (object?.type !== 'ObjectExpression' || object.properties.some(({ type }) => type === 'SpreadElement'))
    return null;
  const list = propertyOf(object, 'credentials');
  if (!list) return [];
  if (list.type !== 'ArrayExpression') return null;
  const paths = list.elements.map((element) => element && staticPath(element));
  return paths.every((path) => path !== null && path !== undefined) ? (paths as string[][]) : null;
}

/** What the second parameter of an action's `run` gives: `credentials.linear.apiKey`. */
class Secrets {
  readonly asked: ActionFact['asked'] = [];
  readonly #context: CallContext;
  /** What of key and field is known already, by the identifier that declares the root of a path. */
  readonly #roots = new Map<Node, string[]>();

  constructor(context: CallContext, parameter: Node) {
    this.#context = context;
    this.#declare(parameter, []);
    for (const { binding, path, node } of context.refs.values()) {
      const known = binding && this.#roots.get(binding.node);
      if (known?.length === 0 && path[1] !== undefined) {
        const { end } = context.refs.get(node) ?? {};
        this.asked.push({ key: path[1], span: context.spanOf(node.start as number, end ?? (node.end as number)) });
      }
    }
  }

  #declare(pattern: Node, known: string[]): void {
    if (pattern.type === 'Identifier') this.#roots.set(pattern, known);
    if (pattern.type !== 'ObjectPattern' || known.length > 1) return;
    for (const property of pattern.properties) {
      if (property.type !== 'ObjectProperty') continue;
      const key = keyName(property.key, property.computed);
      if (key !== null && known.length === 0) this.asked.push({ key, span: this.#context.span(property.key) });
      this.#declare(property.value, [...known, key ?? '']);
    }
  }

  /** Secrets that an expression holds as they are: in place, in a literal, in a text. */
  within(node: Node): Node[] {
    const inner = unwrap(node);
    switch (inner.type) {
      case 'Identifier':
      case 'MemberExpression':
        return this.secretOf(inner) ? [inner] : [];
      case 'ObjectExpression':
        return inner.properties.flatMap((property) =>
          property.type === 'ObjectProperty'
            ? this.within(property.value)
            : property.type === 'SpreadElement'
              ? this.within(property.argument)
              : [],
        );
      case 'ArrayExpression':
        return inner.elements.flatMap((element) => (element ? this.within(element) : []));
      case 'TemplateLiteral':
        return inner.expressions.flatMap((expression) => this.within(expression));
      case 'BinaryExpression':
        return inner.operator === '+' ? [...this.within(inner.left as Node), ...this.within(inner.right)] : [];
      case 'ConditionalExpression':
        return [...this.within(inner.consequent), ...this.within(inner.alternate)];
      case 'AwaitExpression':
        return this.within(inner.argument);
      default:
        return [];
    }
  }

  /** `['linear', 'apiKey']` of an expression that is a secret; null of any other. */
  secretOf(node: Node): string[] | null {
    const path = staticPath(node);
    let root = node;
    while (root.type === 'MemberExpression') root = unwrap(root.object);
    const binding = this.#context.bindingOf(root);
    const known = binding && this.#roots.get(binding.node);
    return path !== null && known?.length === 3 - path.length ? [...known, ...path.slice(1)] : null;
  }
}

/** What a function returns. */
function resultsOf(fn: FunctionNode): Node[] {
  if (fn.body.type !== 'BlockStatement') return [fn.body];
  const found: Node[] = [];
  const visit = (node: Node): void => {
    if (isFunction(node)) return;
    if (node.type === 'ReturnStatement' && node.argument) found.push(node.argument);
    else eachChild(node, visit);
  };
  visit(fn.body);
  return found;
}

function agentOf(
  context: CallContext,
  definition: number,
  options: Node | undefined,
  kind: 'workflow' | 'agent',
): AgentFact | null {
  const fact: AgentFact = { definition, tools: [] };
  const object = options && unwrap(options);
  if (object?.type !== 'ObjectExpression') return null;
  for (const property of object.properties) {
    if (property.type === 'SpreadElement' || keyName(property.key, property.computed) !== 'credentials') continue;
    fact.credentials = context.span(property.key);
  }
  const list = kind === 'agent' ? propertyOf(object, 'tools') : null;
  if (list) fact.tools = namedTools(context, list);
  return fact.credentials || fact.tools.length > 0 ? fact : null;
}

/** Definitions in a list or a record of tools. */
function namedTools(context: CallContext, tools: Node): AgentFact['tools'] {
  if (tools.type === 'ArrayExpression')
    return tools.elements.flatMap((element) => {
      const path = element && staticPath(element);
      return element && path ? [{ path, span: context.span(element) }] : [];
    });
  if (tools.type !== 'ObjectExpression') return [];
  return tools.properties.flatMap((property) => {
    if (property.type !== 'ObjectProperty') return [];
    const path = staticPath(property.value);
    const name = keyName(property.key, property.computed);
    return path && name !== null ? [{ path, span: context.span(property.value), name }] : [];
  });
}

/** The agent that gets tools: its unit, and which definition it is. */
type Given = Pick<ToolSetFact, 'unit' | 'definition'>;

/** Objects that agents get as tools; what is named there goes to the facts. */
function givenTools(context: CallContext): Map<Node, Given> {
  const given = new Map<Node, Given>();
  const sets: ToolSetFact[] = [];
  for (const { tools, agent } of toolOptions(context)) {
    const object = context.through(tools);
    if (!given.has(object)) given.set(object, agent);
    const names = object.type === 'ObjectExpression' ? object.properties.flatMap(spreadIn) : [tools];
    for (const name of names) {
      const use = context.useOf(name, false);
      if (use) sets.push({ ...agent, use });
    }
  }
  if (sets.length > 0) context.out.toolSets = sets;
  return given;
}

/** The `tools` of all agents. */
function* toolOptions(context: CallContext): Generator<{ tools: Node; agent: Given }> {
  for (const { node } of context.walk.calls) {
    if (node.type !== 'NewExpression' || !isDurableAgent(context, node.callee as Node)) continue;
    const tools = propertyOf(node.arguments[0] as Node | undefined, 'tools');
    if (tools) yield { tools, agent: { unit: context.unitAt(node.start as number) } };
  }
  for (const [definition, { kind, call }] of context.model.definitions.entries()) {
    const tools = kind === 'agent' ? propertyOf(call.arguments[0] as Node | undefined, 'tools') : null;
    if (tools) yield { tools, agent: { unit: context.unitAt(call.start as number), definition } };
  }
}

function isDurableAgent(context: CallContext, callee: Node): boolean {
  let root = unwrap(callee);
  while (root.type === 'MemberExpression') root = unwrap(root.object);
  return staticPath(callee)?.at(-1) === 'DurableAgent' && context.bindingOf(root)?.kind === 'import';
}

function spreadIn(property: t.ObjectExpression['properties'][number]): Node[] {
  return property.type === 'SpreadElement' ? [unwrap(property.argument)] : [];
}

const TOOL_OPTIONS = ['inputSchema', 'parameters', 'description'];

/** Tools that are written in place: objects with `execute` and what tells a model about it. */
function toolsOf(context: CallContext): ToolFact[] {
  const given = givenTools(context);
  return context.walk.tools.flatMap(({ node, ancestors }) => {
    if (!TOOL_OPTIONS.some((name) => propertyOf(node, name))) return [];
    const property = ancestors.findLast(({ type }) => type === 'ObjectProperty' || type === 'VariableDeclarator');
    const key = property?.type === 'ObjectProperty' ? property.key : (property as t.VariableDeclarator | undefined)?.id;
    if (!key) return [];
    const schema = propertyOf(node, 'inputSchema') ?? propertyOf(node, 'parameters');
    const execute = propertyOf(node, 'execute');
    const fact: ToolFact = {
      unit: context.unitAt(node.start as number),
      name: keyName(key, false) ?? '?',
      nameSpan: context.span(key),
      described:
        node.properties.some(({ type }) => type === 'SpreadElement') || propertyOf(node, 'description') !== null,
      formless: schema && !isFunction(schema) ? formlessIn(context, schema) : [],
    };
    const agent = ancestors.map((ancestor) => given.get(ancestor)).find((owner) => owner !== undefined);
    if (agent) fact.given = agent.unit;
    if (agent?.definition !== undefined) fact.definition = agent.definition;
    if (execute && isFunction(execute)) {
      fact.execute = { start: execute.start as number, end: execute.end as number };
    } else {
      const use = execute && context.useOf(execute, false);
      if (use) fact.handler = use;
    }
    return [fact];
  });
}

/** Schemas of zod that JSON Schema has no word for. */
const FORMLESS = new Set([
  'date',
  'bigint',
  'int64',
  'uint64',
  'function',
  'symbol',
  'undefined',
  'void',
  'map',
  'set',
  'custom',
  'instanceof',
  'nan',
]);
/** What stands behind them is of no concern to the one who fills the schema. */
const BEHIND = new Set([
  'pipe',
  'transform',
  'preprocess',
  'codec',
  'refine',
  'superRefine',
  'check',
  'default',
  'catch',
]);

function formlessIn(context: CallContext, schema: Node): ToolFact['formless'] {
  const found: ToolFact['formless'] = [];
  visitSchema(context, schema, (call, path) => {
    if (!isZod(context, call) || !isFormless(context, path)) return;
    found.push({ text: `${path.join('.')}()`, span: context.span(call.callee as Node) });
  });
  return found;
}

/** `z.date()` and `z.coerce.date()`; `z.iso.date()` is a text. */
function isFormless({ facts }: CallContext, [local, ...rest]: string[]): boolean {
  const imported = facts.imports.find((fact) => fact.local === local)?.imported;
  const pieces = /^(?:\*|default|z)$/.test(imported ?? '') ? rest : [imported ?? '', ...rest];
  const own = pieces[0] === 'coerce' || pieces[0] === 'z' ? pieces.slice(1) : pieces;
  return own.length === 1 && FORMLESS.has(own[0] as string);
}

function isZod(context: CallContext, call: t.CallExpression): boolean {
  let root = unwrap(call.callee as Node);
  while (root.type === 'MemberExpression') root = unwrap(root.object);
  const declaration = context.bindingOf(root)?.declaration;
  const source = context.facts.imports.find(({ local }) => root.type === 'Identifier' && local === root.name)?.source;
  return declaration?.type.startsWith('Import') === true && /^zod(?:\/|$)/.test(source ?? '');
}

/** Calls of a schema: in place, and in variables of the module that it is made of. */
function visitSchema(
  context: CallContext,
  schema: Node,
  visit: (call: t.CallExpression, path: string[]) => void,
  depth = 0,
): void {
  const inner = unwrap(schema);
  if (isFunction(inner) || depth > 20) return;
  if (inner.type === 'Identifier') {
    const value = context.valueOf(inner);
    if (value && value.type === 'CallExpression') visitSchema(context, value, visit, depth + 1);
    return;
  }
  if (inner.type === 'CallExpression') {
    const callee = unwrap(inner.callee as Node);
    const name = callee.type === 'MemberExpression' ? keyName(callee.property, callee.computed) : null;
    visit(inner, staticPath(callee) ?? (name === null ? [] : ['', name]));
    if (callee.type === 'MemberExpression') visitSchema(context, callee.object, visit, depth + 1);
    if (name !== null && BEHIND.has(name)) return;
    for (const argument of inner.arguments) visitSchema(context, argument as Node, visit, depth + 1);
    return;
  }
  if (inner.type === 'ObjectProperty') return visitSchema(context, inner.value, visit, depth + 1);
  if (inner.type === 'MemberExpression') return visitSchema(context, inner.object, visit, depth + 1);
  if (/^(?:Object|Array)Expression$|^SpreadElement$|^ConditionalExpression$/.test(inner.type))
    eachChild(inner, (child) => visitSchema(context, child, visit, depth + 1));
}

const SCHEMA_OPTIONS = ['output', 'outputSchema', 'schema'];

function optionalsIn(
  context: CallContext,
  options: Node | undefined,
  owner: Pick<OptionalFact, 'site' | 'definition'>,
): OptionalFact[] {
  const found: OptionalFact[] = [];
  for (const name of SCHEMA_OPTIONS) {
    const schema = propertyOf(options, name);
    if (!schema || isFunction(schema)) continue;
    visitSchema(context, schema, (call) => {
      const callee = unwrap(call.callee as Node);
      const method = callee.type === 'MemberExpression' ? callee.property : null;
      if (method?.type !== 'Identifier' || !/^(?:optional|nullish)$/.test(method.name)) return;
      const [start, end] = [method.start as number, method.end as number];
      const fact: OptionalFact = {
        ...owner,
        unit: context.unitAt(start),
        span: context.spanOf(start, end),
        text: method.name,
      };
      if (isOwn(context, schema, call)) fact.fix = nullable(start, end);
      found.push(fact);
    });
  }
  return found;
}

function nullable(start: number, end: number): Fix {
  return { title: "Use 'nullable' instead", edits: [{ start, end, text: 'nullable' }] };
}

/** The schema is of no other use: it stands in place, or in a variable that is named once. */
function isOwn(context: CallContext, schema: Node, call: Node): boolean {
  if ((schema.start as number) <= (call.start as number) && (call.end as number) <= (schema.end as number)) return true;
  const binding = schema.type === 'Identifier' ? context.bindingOf(schema) : null;
  const value = schema.type === 'Identifier' ? context.valueOf(schema) : null;
  if (!binding || !value || binding.refs.length !== 1) return false;
  const isExported = context.facts.exports.some(({ local }) => local === binding.name);
  return (
    !isExported && (value.start as number) <= (call.start as number) && (call.end as number) <= (value.end as number)
  );
}
