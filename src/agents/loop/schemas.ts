/** Schemas of tools and of answers, of whichever library: their JSON Schema, and what they say of a value. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { PawlError } from '../../errors.ts';
import { describeIssues, issuesOf, type Schema, type SchemaIssue } from '../../runtime/schema-issues.ts';

/** Schemas of the AI SDK bear this. */
const AI_SCHEMA = Symbol.for('vercel.ai.schema');

interface AiSchema {
  jsonSchema: unknown;
  validate?(value: unknown): unknown;
}

interface StandardJsonSchema {
  input(options: { target: string }): Record<string, unknown>;
}

/** A schema, or the function of the AI SDK that makes it when it is needed. */
function resolve(schema: unknown): unknown {
  return typeof schema === 'function' && !('~standard' in schema) ? (schema as () => unknown)() : schema;
}

function isAiSchema(schema: unknown): schema is AiSchema {
  return typeof schema === 'object' && schema !== null && AI_SCHEMA in schema;
}

function standardOf(schema: unknown): (Schema['~standard'] & { jsonSchema?: StandardJsonSchema }) | undefined {
  return (schema as { '~standard'?: Schema['~standard'] } | null | undefined)?.['~standard'];
}

/** Whether a value is a schema that can be asked. */
export function isSchema(value: unknown): boolean {
  const schema = resolve(value);
  return isAiSchema(schema) || typeof standardOf(schema)?.validate === 'function';
}

/**
 * The JSON Schema (draft 7) of a schema, by which a model knows what to write.
 *
 * @param what whose schema it is: `the input of the tool search`
 * @throws PawlError `PAWL_SCHEMA_JSON` when it has none: another library, or something like `z.date()` in it
 */
export async function jsonSchemaOf(value: unknown, what: string): Promise<unknown> {
  if (value === undefined || value === null) return { type: 'object', properties: {}, additionalProperties: false };
  const schema = resolve(value);
  if (isAiSchema(schema)) return plain(await schema.jsonSchema);
  const standard = standardOf(schema);
  if (!standard) {
    throw noForm(what, 'it is no schema', 'Pass a schema of zod 4, or `jsonSchema({ … })` of `ai`.');
  }
  if (!standard.jsonSchema) {
    const remedy = `Use zod 4.2 or newer, or \`jsonSchema({ … })\` of \`ai\`.`;
    throw noForm(what, `the library \`${standard.vendor}\` makes none of it`, remedy);
  }
  let made: Record<string, unknown>;
  try {
    made = standard.jsonSchema.input({ target: 'draft-07' });
  } catch (error) {
    const remedy = 'Take what JSON has: texts, numbers, booleans, lists, objects; a date as `z.iso.datetime()`.';
    throw noForm(what, String((error as { message?: unknown } | null)?.message ?? error), remedy);
  }
  return closed(plain(made));
}

function noForm(what: string, why: string, remedy: string): PawlError {
  return new PawlError('PAWL_SCHEMA_JSON', `The schema of ${what} has no form in JSON Schema: ${why}.`, { remedy });
}

/** What a library hands out may have getters and symbols. */
function plain(schema: unknown): unknown {
  return JSON.parse(JSON.stringify(schema));
}

/** Objects that say nothing of other keys have none: what providers ask for who hold models to a schema. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).map(([key, value]) => [
    key,
    LITERAL.has(key)
      ? value
      : key === 'properties' || key === '$defs' || key === 'definitions'
        ? each(value)
        : closed(value),
  ]);
  const made = Object.fromEntries(entries) as Record<string, unknown>;
  if (made.type === 'object' && 'properties' in made && !('additionalProperties' in made)) {
    made.additionalProperties = false;
  }
  return made;
}

/** Keywords whose values are values, not schemas. */
const LITERAL = new Set(['default', 'const', 'enum', 'examples']);

function each(schemas: unknown): unknown {
  if (typeof schemas !== 'object' || schemas === null) return schemas;
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, closed(schema)]));
}

export type Validation = { ok: true; value: unknown } | { ok: false; message: string; issues: SchemaIssue[] };

/**
 * Asks a schema about a value; what it makes of it counts.
 *
 * @param root what the value is called in paths: `input`
 */
export async function validate(schema: unknown, value: unknown, root: string): Promise<Validation> {
  const resolved = resolve(schema);
  if (isAiSchema(resolved)) {
    if (!resolved.validate) return { ok: true, value };
    const result = (await resolved.validate(value)) as { success: boolean; value?: unknown; error?: unknown };
    return result.success ? { ok: true, value: result.value } : failed(issuesBehind(result.error, root));
  }
  const standard = standardOf(resolved);
  if (!standard) return { ok: true, value };
  const result = await standard.validate(value);
  return result.issues ? failed(issuesOf(root, result.issues)) : { ok: true, value: result.value };
}

function failed(issues: SchemaIssue[]): Validation {
  return { ok: false, message: describeIssues(issues), issues };
}

/** Causes that are looked through: the AI SDK wraps what a schema said two or three times. */
const DEEPEST = 6;

/**
 * What a schema of the AI SDK found wrong. It hides that behind the errors that it makes: the issues themselves are the cause of the last
 * one, or a field of it, and the messages in front repeat the whole value.
 *
 * @param root what the value is called in paths
 */
export function issuesBehind(error: unknown, root: string): SchemaIssue[] {
  let last: unknown = error;
  for (let depth = 0; depth < DEEPEST; depth++) {
    const { cause, issues } = (last ?? {}) as { cause?: unknown; issues?: unknown };
    const found = Array.isArray(last) ? last : issues;
    if (Array.isArray(found) && found.length > 0 && found.every(isIssue)) return issuesOf(root, found);
    if (cause === undefined || cause === null) break;
    last = cause;
  }
  return [{ path: root, message: String((last as { message?: unknown } | null)?.message ?? last) }];
}

function isIssue(value: unknown): value is StandardSchemaV1.Issue {
  const { message, path } = (value ?? {}) as { message?: unknown; path?: unknown };
  return typeof message === 'string' && (path === undefined || Array.isArray(path));
}
