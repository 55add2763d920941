import type { RequestFact } from '../call-facts.ts';
import { isFunction, keyName, type Node, unwrap, eachChild, staticPath } from './ast.ts';
import type { CallContext } from './calls-context.ts';
import { type CallNode, propertyOf } from './calls-walk.ts';

/** Methods of clients that send a request which may not be repeated. `PUT` and `DELETE` may. */
const SENDERS: Record<string, string | undefined> = { post: 'POST', patch: 'PATCH' };
const UNSAFE = /^(?:POST|PATCH)$/i;
const KEY = /idempoten|request-?id/i;
/** Calls that give something else each time. */
const CHANGING =
  /^(?:Date\.now|Math\.random|performance\.now|(?:crypto\.)?randomUUID|uuid|uuidv4|nanoid|v4|ulid|cuid)$/;

/** Mutating HTTP requests, and whether they bear a key by which the other side knows a repetition. */
export function readRequests(context: CallContext): void {
  const requests: RequestFact[] = [];
  for (const { node } of context.walk.calls) {
    const site = context.sites.get(node);
    if (site === undefined || node.type === 'NewExpression') continue;
    const request = requestOf(context, node);
    if (!request) continue;
    requests.push({
      ...request,
      site,
      unit: context.out.sites[site]?.unit ?? 0,
      span: context.span(node.callee as Node),
    });
  }
  if (requests.length > 0) context.out.requests = requests;
}

function requestOf(context: CallContext, node: CallNode): Omit<RequestFact, 'site' | 'unit' | 'span'> | null {
  const name = staticPath(node.callee as Node)?.at(-1) ?? '';
  const sender = Object.hasOwn(SENDERS, name) ? SENDERS[name] : undefined;
  const options = node.arguments[sender ? node.arguments.length - 1 : 1];
  const init = options && unwrap(options as Node);
  let method = sender;
  if (!sender) {
    const written = name === 'fetch' && init ? propertyOf(init, 'method') : null;
    method = (written && !isFunction(written) && context.textOf(written)) || undefined;
  }
  if (!method || !UNSAFE.test(method)) return null;
  const url = addressOf(context, node.arguments[0] as Node | undefined);
  const key = keyOf(context, node, init ?? null);
  return { method: method.toUpperCase(), url, ...key };
}

/** The part of an address that stands in the code. */
function addressOf(context: CallContext, argument: Node | undefined): string {
  if (!argument) return '';
  const inner = context.through(argument);
  const text = context.textOf(inner);
  if (text !== null) return text;
  if (inner.type === 'NewExpression') return addressOf(context, inner.arguments[0] as Node | undefined);
  if (inner.type === 'BinaryExpression')
    return `${addressOf(context, inner.left as Node)}${addressOf(context, inner.right)}`;
  if (inner.type !== 'TemplateLiteral') return '';
  let url = '';
  inner.quasis.forEach(({ value }, index) => {
    const expression = inner.expressions[index];
    url += (value.cooked ?? '') + ((expression && context.textOf(expression as Node)) ?? '');
  });
  return url;
}

function keyOf(context: CallContext, node: CallNode, init: Node | null): Pick<RequestFact, 'key' | 'keySpan'> {
  const headers = propertyOf(init, 'headers');
  const list = headers && context.through(headers);
  if (list?.type === 'ObjectExpression')
    for (const property of list.properties) {
      if (property.type !== 'ObjectProperty') continue;
      const name = keyName(property.key, property.computed);
      if (name === null || !KEY.test(name)) continue;
      const value = context.through(property.value);
      if (!isChanging(context, value)) return { key: 'present' };
      return { key: 'changing', keySpan: context.span(property.value) };
    }
  // Somewhere else in the request, or where it is not to be seen.
  const isOpen = [init, list].some((object) => object && !isPlain(object));
  const text = node.arguments.map((argument) => context.text(argument as Node)).join(' ');
  return { key: isOpen || /idempoten/i.test(text) ? 'present' : 'missing' };
}

/** An object literal all of whose keys are known. */
function isPlain(object: Node): boolean {
  if (object.type !== 'ObjectExpression') return false;
  return object.properties.every(
    (property) => property.type !== 'SpreadElement' && keyName(property.key, property.computed) !== null,
  );
}

/** A time, chance, or the number of the attempt is in it. */
function isChanging(context: CallContext, value: Node): boolean {
  let found = false;
  const visit = (node: Node): void => {
    if (found || isFunction(node)) return;
    if (node.type === 'CallExpression') found = CHANGING.test(staticPath(node.callee as Node)?.join('.') ?? '');
    else if (node.type === 'NewExpression')
      found = node.arguments.length === 0 && staticPath(node.callee as Node)?.[0] === 'Date';
    else if (node.type === 'MemberExpression') found = isAttempt(node.property) && !node.computed;
    else if (node.type === 'Identifier') found = isAttempt(node) && context.bindingOf(node) !== null;
    if (!found) eachChild(node, visit);
  };
  visit(value);
  return found;
}

function isAttempt(node: Node): boolean {
  return node.type === 'Identifier' && node.name === 'attempt';
}
