import type { JsonSchema } from './schema.ts';

/**
 * Whether one JSON Schema accepts all that another one describes. Sound where it speaks: it names a difference only when there is
 * one; keywords that it does not know (`not`, `if`, `patternProperties`, …) pass for no difference.
 */

/** What the wider schema refuses though the narrower one allows it. */
export interface SchemaDifference {
  /** `customer.address[].city`; empty for the value itself. */
  path: string;
  /** Half a sentence: `is required now`. */
  what: string;
}

type Keywords = Record<string, unknown>;

interface Side {
  schema: unknown;
  root: JsonSchema;
}

/**
 * @param wide - has to accept the values
 * @param narrow - describes them
 * @returns the first difference, or null
 * @example
 * findRefusal({ type: 'object', required: ['id'] }, { type: 'object' }); // { path: 'id', what: 'is required' }
 */
export function findRefusal(wide: JsonSchema, narrow: JsonSchema): SchemaDifference | null {
  return compare({ schema: wide, root: wide }, { schema: narrow, root: narrow }, '', new Set());
}

function compare(wide: Side, narrow: Side, path: string, seen: Set<string>): SchemaDifference | null {
  const to = resolve(wide);
  const from = resolve(narrow);
  if (to === null || from === null || to === true || from === false) return null;
  if (to === false) return { path, what: 'is not accepted' };
  // `unknown` before: whether any value that is now refused ever came, nobody can tell.
  if (from === true) return null;
  // Types that hold themselves: what is compared already is compared.
  const key = `${path.split(/[.[]/).length > 12 ? '' : path} ${JSON.stringify(to)} ${JSON.stringify(from)}`;
  if (seen.has(key) || seen.size > 2_000) return null;
  seen.add(key);
  const inWide = (schema: unknown): Side => ({ schema, root: wide.root });
  const inNarrow = (schema: unknown): Side => ({ schema, root: narrow.root });

  const choices = union(from);
  if (choices) return first(choices, (choice) => compare(inWide(to), inNarrow(choice), path, seen));
  const options = union(to);
  if (options) return compareOptions(options, inWide, inNarrow(from), path, seen);
  for (const part of list(to.allOf)) {
    const found = compare(inWide(part), inNarrow(from), path, seen);
    if (found) return found;
  }
  return (
    compareValues(to, from, path) ??
    compareTypes(to, from, path) ??
    compareBounds(to, from, path) ??
    compareObjects(to, from, path, (a, b, at) => compare(inWide(a), inNarrow(b), at, seen)) ??
    compareArrays(to, from, path, (a, b, at) => compare(inWide(a), inNarrow(b), at, seen))
  );
}

/** Accepted when one of the options accepts it; with a single option of the same type its difference is the one to tell. */
function compareOptions(
  options: readonly unknown[],
  inWide: (schema: unknown) => Side,
  narrow: Side,
  path: string,
  seen: Set<string>,
): SchemaDifference | null {
  const found: SchemaDifference[] = [];
  for (const option of options) {
    const difference = compare(inWide(option), narrow, path, new Set(seen));
    if (difference === null) return null;
    found.push(difference);
  }
  const deeper = found.filter((difference) => difference.path !== path);
  return deeper.length === 1 ? (deeper[0] as SchemaDifference) : { path, what: 'is no longer among what is accepted' };
}

function compareValues(to: Keywords, from: Keywords, path: string): SchemaDifference | null {
  const allowed = valuesOf(to);
  if (allowed === null) return null;
  const given = valuesOf(from);
  if (given === null) {
    // Of a type with more values than a list can have, some are missing.
    return typesOf(from).some((type) => type !== 'boolean' && type !== 'null')
      ? { path, what: `accepts only ${allowed.join(', ')}` }
      : null;
  }
  const missing = given.find((value) => !allowed.includes(value));
  return missing === undefined ? null : { path, what: `no longer accepts ${missing}` };
}

function compareTypes(to: Keywords, from: Keywords, path: string): SchemaDifference | null {
  const allowed = typesOf(to);
  if (allowed.length === 0 || valuesOf(from) !== null) return null;
  const missing = typesOf(from).find(
    (type) => !allowed.includes(type) && !(type === 'integer' && allowed.includes('number')),
  );
  return missing === undefined ? null : { path, what: `is ${missing}, and has to be ${allowed.join(' or ')}` };
}

/** Bounds by keyword: whether more of it refuses more. */
const BOUNDS: Record<string, 'least' | 'most'> = {
  minimum: 'least',
  exclusiveMinimum: 'least',
  minLength: 'least',
  minItems: 'least',
  minProperties: 'least',
  maximum: 'most',
  exclusiveMaximum: 'most',
  maxLength: 'most',
  maxItems: 'most',
  maxProperties: 'most',
};

const OTHER_SIDE: Record<string, string> = {
  minimum: 'exclusiveMinimum',
  exclusiveMinimum: 'minimum',
  maximum: 'exclusiveMaximum',
  exclusiveMaximum: 'maximum',
};

const APPLIES_TO: Record<string, readonly string[]> = {
  minLength: ['string'],
  maxLength: ['string'],
  minItems: ['array'],
  maxItems: ['array'],
  minProperties: ['object'],
  maxProperties: ['object'],
};

function compareBounds(to: Keywords, from: Keywords, path: string): SchemaDifference | null {
  if (valuesOf(from) !== null) return null;
  for (const [keyword, kind] of Object.entries(BOUNDS)) {
    const wanted = to[keyword];
    const types = APPLIES_TO[keyword] ?? ['number', 'integer'];
    if (typeof wanted !== 'number' || !typesOf(from).some((type) => types.includes(type))) continue;
    const same = from[keyword];
    const other = from[OTHER_SIDE[keyword] ?? ''];
    const given = [same, other].filter((value) => typeof value === 'number');
    const isMet = given.some((value) => (kind === 'least' ? value >= wanted : value <= wanted));
    const isEmpty = wanted === 0 && keyword in APPLIES_TO && kind === 'least';
    if (!isMet && !isEmpty) return { path, what: `has to keep ${keyword} ${wanted}` };
  }
  for (const keyword of ['pattern', 'format']) {
    const wanted = to[keyword];
    if (typeof wanted === 'string' && from[keyword] === undefined && typesOf(from).includes('string')) {
      return { path, what: `has to keep the ${keyword} ${wanted}` };
    }
  }
  return null;
}

type Compare = (to: unknown, from: unknown, path: string) => SchemaDifference | null;

function compareObjects(to: Keywords, from: Keywords, path: string, compare: Compare): SchemaDifference | null {
  if (!typesOf(from).includes('object')) return null;
  const accepted = record(to.properties);
  const given = record(from.properties);
  const sure = list(from.required);
  for (const name of list(to.required) as string[]) {
    if (!sure.includes(name)) return { path: join(path, name), what: 'is required' };
  }
  for (const [name, schema] of Object.entries(given)) {
    const at = join(path, name);
    if (Object.hasOwn(accepted, name)) {
      const found = compare(accepted[name], schema, at);
      if (found) return found;
    } else if (to.additionalProperties === false) {
      return { path: at, what: 'is no longer accepted' };
    } else if (isSchema(to.additionalProperties)) {
      const found = compare(to.additionalProperties, schema, at);
      if (found) return found;
    }
  }
  const rest = from.additionalProperties;
  if (!isSchema(rest) || !isSchema(to.additionalProperties)) return null;
  return compare(to.additionalProperties, rest, `${path}[]`);
}

function compareArrays(to: Keywords, from: Keywords, path: string, compare: Compare): SchemaDifference | null {
  if (!typesOf(from).includes('array')) return null;
  const places = list(from.prefixItems);
  for (const [index, place] of list(to.prefixItems).entries()) {
    const given = places[index] ?? from.items;
    const found = given === undefined ? null : compare(place, given, `${path}[${index}]`);
    if (found) return found;
  }
  if (to.items === undefined || from.items === undefined) return null;
  return compare(to.items, from.items, `${path}[]`);
}

// ------------------------------------------------------------- reading

/** Follows local references; null for one that leads nowhere. */
function resolve({ schema, root }: Side): Keywords | boolean | null {
  let found: unknown = schema;
  for (let hops = 0; hops < 50; hops++) {
    if (typeof found === 'boolean') return found;
    if (typeof found !== 'object' || found === null) return null;
    const { $ref } = found as Keywords;
    if (typeof $ref !== 'string') return found as Keywords;
    if (!$ref.startsWith('#')) return null;
    found = $ref
      .slice(1)
      .split('/')
      .filter((piece) => piece !== '')
      .reduce<unknown>((at, piece) => record(at)[piece.replaceAll('~1', '/').replaceAll('~0', '~')], root);
  }
  return null;
}

function union(schema: Keywords): readonly unknown[] | null {
  const choices = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(choices)) return choices;
  return Array.isArray(schema.type) ? schema.type.map((type) => ({ ...schema, type })) : null;
}

/** JSON of the values that `enum` or `const` lists. */
function valuesOf(schema: Keywords): string[] | null {
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => JSON.stringify(value));
  return 'const' in schema ? [JSON.stringify(schema.const)] : null;
}

function typesOf(schema: Keywords): string[] {
  return typeof schema.type === 'string' ? [schema.type] : [];
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function record(value: unknown): Keywords {
  return typeof value === 'object' && value !== null ? (value as Keywords) : {};
}

function isSchema(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function join(path: string, name: string): string {
  const piece = /^[\w$]+$/.test(name) ? name : JSON.stringify(name);
  return path === '' ? piece : `${path}.${piece}`;
}

function first<Item>(items: readonly Item[], find: (item: Item) => SchemaDifference | null): SchemaDifference | null {
  for (const item of items) {
    const found = find(item);
    if (found) return found;
  }
  return null;
}
