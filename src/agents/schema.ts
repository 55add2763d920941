/** Parsing with the schemas of definitions. */
import { PawlError } from '../errors.ts';
import { ERROR_BRAND } from '../runtime/errors.ts';
import { describeIssues, issuesOf, type OutputOf, type Schema } from '../runtime/schema-issues.ts';

export type { InputOf, OutputOf, Schema } from '../runtime/schema-issues.ts';

export type Side = 'input' | 'output';

/**
 * Parses a value.
 *
 * @param owner `action triage`: whose value it is.
 * @throws PawlError `PAWL_INPUT_INVALID` or `PAWL_OUTPUT_INVALID`, which name the owner, the side and the path. Trying again
 *   would not help, so a step that throws it fails for good.
 */
export async function parseWith<S extends Schema>(
  schema: S,
  value: unknown,
  owner: string,
  side: Side,
): Promise<OutputOf<S>> {
  const result = await schema['~standard'].validate(value);
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
  Object.defineProperty(error, ERROR_BRAND, { value: 'fatal' });
  throw error;
}
