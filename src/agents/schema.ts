/** Parsing with the schemas of definitions. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { PawlError } from '../errors.ts';
import { ERROR_BRAND } from '../runtime/errors.ts';
import { describeIssues, issuesOf, type OutputOf, type Schema } from '../runtime/schema-issues.ts';

export type { InputOf, OutputOf, Schema } from '../runtime/schema-issues.ts';

export type Side = 'input' | 'output';

/**
 * Parses a value.
 *
 * @param owner `action triage`: whose value it is.
 * @throws PawlError `PAWL_INPUT_INVALID` or `PAWL_OUTPUT_INVALID`, which name the owner, the side and the path; `PAWL_SCHEMA_FAILED`
 *   when the schema itself throws. Trying again would not help, so a step that throws it fails for good.
 */
export async function parseWith<S extends Schema>(
  schema: S,
  value: unknown,
  owner: string,
  side: Side,
): Promise<OutputOf<S>> {
  const result = await validate(schema, value, owner, side);
  if (!result.issues) return result.value as OutputOf<S>;
  const code = side === 'input' ? 'PAWL_INPUT_INVALID' : 'PAWL_OUTPUT_INVALID';
  const issues = issuesOf(side, result.issues);
  const error = new PawlError(code, `The ${side} of ${owner} does not match its schema. ${describeIssues(issues)}`, {
    place: owner,
    remedy:
      side === 'input'
        ? 'Pass a value that matches the schema.'
        : 'Return a value that matches the schema, or change the schema.',
    details: { side, issues },
  });
  throw Object.defineProperty(error, ERROR_BRAND, { value: 'fatal' });
}

async function validate<S extends Schema>(
  schema: S,
  value: unknown,
  owner: string,
  side: Side,
): Promise<StandardSchemaV1.Result<OutputOf<S>>> {
  try {
    return (await schema['~standard'].validate(value)) as StandardSchemaV1.Result<OutputOf<S>>;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `The ${side} schema of ${owner} threw: ${reason.replace(/\.$/, '')}.`;
    const remedy =
      'A schema says by its issues what is wrong, and throws nothing: look at its transforms and refinements.';
    const error = new PawlError('PAWL_SCHEMA_FAILED', message, { place: owner, remedy, cause });
    throw Object.defineProperty(error, ERROR_BRAND, { value: 'fatal' });
  }
}
