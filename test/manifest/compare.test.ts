import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { compareManifests } from '../../src/manifest/compare.ts';
import { findRefusal } from '../../src/manifest/json-schema.ts';
import type { Manifest } from '../../src/manifest/schema.ts';

const json = (schema: z.ZodType) => z.toJSONSchema(schema, { io: 'input' }) as Record<string, unknown>;
/** What the new schema says of values of the old one. */
const refusal = (before: z.ZodType, after: z.ZodType) => {
  const found = findRefusal(json(after), json(before));
  return found && `${found.path || '(value)'} ${found.what}`;
};

const tree: z.ZodType = z.object({
  name: z.string(),
  get children() {
    return z.array(tree);
  },
});
const numbered: z.ZodType = z.object({
  name: z.string(),
  no: z.number(),
  get children() {
    return z.array(numbered);
  },
});

describe('a schema refuses what another one describes', () => {
  test.each<[string, z.ZodType, z.ZodType, string]>([
    ['a new required property', z.object({}), z.object({ id: z.string() }), 'id is required'],
    ['one that was optional', z.object({ id: z.string().optional() }), z.object({ id: z.string() }), 'id is required'],
    ['another type', z.object({ n: z.number() }), z.object({ n: z.string() }), 'n is number, and has to be string'],
    ['a fraction', z.number(), z.int(), '(value) is number, and has to be integer'],
    ['a value less', z.enum(['a', 'b']), z.enum(['a']), '(value) no longer accepts "b"'],
    ['a list of values', z.string(), z.enum(['a', 'b']), '(value) accepts only "a", "b"'],
    ['null', z.string().nullable(), z.string(), '(value) is null, and has to be string'],
    ['a bound', z.string(), z.string().max(5), '(value) has to keep maxLength 5'],
    ['a tighter bound', z.number().min(1), z.number().min(2), '(value) has to keep minimum 2'],
    ['a format', z.string(), z.email(), expect.stringContaining('(value) has to keep the ') as unknown as string],
    [
      'deep inside',
      z.object({ a: z.array(z.object({ b: z.string() })) }),
      z.object({ a: z.array(z.object({ b: z.number() })) }),
      'a[].b is string, and has to be number',
    ],
    [
      'an option less',
      z.union([z.string(), z.number(), z.boolean()]),
      z.union([z.string(), z.number()]),
      '(value) is no longer among what is accepted',
    ],
    [
      'a member of a tuple',
      z.tuple([z.string(), z.string()]),
      z.tuple([z.string(), z.number()]),
      '[1] is string, and has to be number',
    ],
    [
      'values of a record',
      z.record(z.string(), z.string()),
      z.record(z.string(), z.number()),
      '[] is string, and has to be number',
    ],
    [
      'an unknown property',
      z.object({ a: z.string(), b: z.string() }),
      z.strictObject({ a: z.string() }),
      'b is no longer accepted',
    ],
    ['in a type that holds itself', tree, numbered, 'no is required'],
  ])('%s', (_, before, after, expected) => {
    expect(refusal(before, after)).toEqual(expected);
  });
});

describe('a schema accepts what another one describes', () => {
  test.each<[string, z.ZodType, z.ZodType]>([
    ['the same', tree, tree],
    ['an optional property', z.object({ id: z.string() }), z.object({ id: z.string(), note: z.string().optional() })],
    ['a default', z.object({}), z.object({ limit: z.number().default(10) })],
    ['a value more', z.enum(['a']), z.enum(['a', 'b'])],
    ['a literal for an enumeration', z.literal('a'), z.enum(['a', 'b'])],
    ['a text for a literal', z.literal('a'), z.string().max(3)],
    ['an integer for a number', z.int(), z.number()],
    ['looser bounds', z.number().min(2).max(3), z.number().min(1).max(10)],
    ['an option more', z.union([z.string(), z.number()]), z.union([z.number(), z.string(), z.null()])],
    [
      'an object among options',
      z.object({ kind: z.literal('a') }),
      z.union([z.object({ kind: z.literal('b'), n: z.number() }), z.object({ kind: z.literal('a') })]),
    ],
    ['anything', z.object({ a: z.string() }), z.unknown()],
    ['from anything', z.unknown(), z.string()],
    ['a property less', z.object({ a: z.string(), b: z.string() }), z.object({ a: z.string() })],
    ['a record for an object', z.object({ a: z.string() }), z.record(z.string(), z.string())],
    ['a type that holds itself', numbered, tree],
  ])('%s', (_, before, after) => {
    expect(refusal(before, after)).toBeNull();
  });
});

test('schemas of any shape are read without harm', () => {
  const odd = [
    true,
    false,
    {},
    { $ref: '#/nowhere' },
    { $ref: 'https://x' },
    { anyOf: [] },
    { type: 7 },
    { properties: 3, type: 'object' },
    { $ref: '#' },
  ];
  for (const a of odd) for (const b of odd) expect(() => findRefusal(a as never, b as never)).not.toThrow();
  expect(findRefusal(false, { type: 'string' })).toEqual({ path: '', what: 'is not accepted' });
});

describe('of a step all differences are told, in the words of its side', () => {
  const manifest = (side: 'input' | 'output', schema: z.ZodType) =>
    ({
      steps: { a: { file: 'src/a.ts', hash: '', captures: [], usesThis: false, [side]: json(schema) } },
      workflows: {},
      classes: {},
    }) as unknown as Manifest;
  const breaks = (side: 'input' | 'output', before: z.ZodType, after: z.ZodType) =>
    compareManifests(manifest(side, before), manifest(side, after)).map((found) =>
      found.kind === 'schema-break' ? `${found.path} ${found.problem}` : found.kind,
    );
  const few = z.object({ id: z.string(), n: z.number(), kind: z.enum(['a', 'b']) });
  const other = z.object({ id: z.string().max(5), n: z.string(), kind: z.enum(['a']), team: z.string() });

  test('input', () => {
    expect(breaks('input', few, other)).toEqual([
      'id has to keep maxLength 5 now',
      'n is number, and has to be string',
      'kind no longer accepts "b"',
      'team is required now',
    ]);
  });

  test('output', () => {
    expect(breaks('output', other, few)).toEqual([
      'id no longer keeps maxLength 5',
      'n may be number now, and was string',
      'kind may be "b" now, and never was',
      'team may be missing now, and was always there',
    ]);
  });
});
