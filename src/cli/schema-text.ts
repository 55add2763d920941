/** A JSON Schema as a person reads it: in the notation of TypeScript, on one line. */

/** @returns `{ title: string, severity?: 'low' | 'high' }`; `unknown` where there is no schema */
export function schemaText(schema: unknown): string {
  if (schema === true || schema === undefined) return 'unknown';
  if (schema === false) return 'never';
  const root = schema as Json;
  return textOf(root, root, 0);
}

type Json = Record<string, unknown>;

/** Schemas may contain themselves. */
const DEEPEST = 6;

function textOf(schema: unknown, root: Json, depth: number): string {
  if (typeof schema !== 'object' || schema === null) return schema === false ? 'never' : 'unknown';
  if (depth > DEEPEST) return '…';
  const it = schema as Json;
  const inner = (each: unknown): string => textOf(each, root, depth + 1);
  if (typeof it.$ref === 'string') {
    const target = pointed(root, it.$ref);
    return target === undefined ? nameOf(it.$ref) : inner(target);
  }
  if ('const' in it) return literal(it.const);
  if (Array.isArray(it.enum)) return it.enum.map(literal).join(' | ') || 'never';
  for (const [key, sign] of [
    ['anyOf', ' | '],
    ['oneOf', ' | '],
    ['allOf', ' & '],
  ] as const) {
    const parts = it[key];
    if (Array.isArray(parts)) return [...new Set(parts.map(inner))].join(sign);
  }
  if (Array.isArray(it.type)) return it.type.map((type) => inner({ ...it, type })).join(' | ');
  switch (it.type) {
    case 'object':
      return objectText(it, inner);
    case 'array':
      return arrayText(it, inner);
    case 'integer':
      return 'integer';
    case 'string':
      return typeof it.format === 'string' ? `string (${it.format})` : 'string';
    default:
      return typeof it.type === 'string' ? it.type : 'unknown';
  }
}

function objectText({ properties, required, additionalProperties }: Json, inner: (schema: unknown) => string): string {
  const needed = new Set(Array.isArray(required) ? required : []);
  const parts = Object.entries((properties ?? {}) as Json).map(([name, schema]) => {
    const fallback = (schema as Json | null)?.default;
    const text = inner(schema) + (fallback === undefined ? '' : ` = ${literal(fallback)}`);
    const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
    return `${key}${needed.has(name) ? '' : '?'}: ${text}`;
  });
  if (typeof additionalProperties === 'object') parts.push(`[key]: ${inner(additionalProperties)}`);
  return parts.length === 0 ? '{}' : `{ ${parts.join(', ')} }`;
}

function arrayText({ prefixItems, items }: Json, inner: (schema: unknown) => string): string {
  if (Array.isArray(prefixItems)) return `[${prefixItems.map(inner).join(', ')}]`;
  const element = items === undefined ? 'unknown' : inner(items);
  return / [|&] /.test(element) ? `(${element})[]` : `${element}[]`;
}

function literal(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : (JSON.stringify(value) ?? 'unknown');
}

function pointed(root: Json, reference: string): unknown {
  if (!reference.startsWith('#')) return undefined;
  let at: unknown = root;
  for (const piece of reference.split('/').slice(1)) {
    const key = decodeURIComponent(piece).replaceAll('~1', '/').replaceAll('~0', '~');
    at = (at as Json | undefined)?.[key];
  }
  return at;
}

function nameOf(reference: string): string {
  return reference.split('/').at(-1) ?? reference;
}
