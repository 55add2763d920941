/** Schemas of tools and of answers, of whichever library: their JSON Schema, and what they say of a value. */
import { PawlError } from '../../errors.ts';
import { describeIssues, issuesOf, type Schema } from '../../runtime/schema-issues.ts';

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

export type Validation = { ok: true; value: unknown } | { ok: false; message: string };

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
    if (result.success) return { ok: true, value: result.value };
    return { ok: false, message: String((result.error as { message?: unknown } | null)?.message ?? result.error) };
  }
  const standard = standardOf(resolved);
  if (!standard) return { ok: true, value };
  const result = await standard.validate(value);
  if (!result.issues) return { ok: true, value: result.value };
  return { ok: false, message: describeIssues(issuesOf(root, result.issues)) };
}
