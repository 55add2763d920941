/** Schemas of any library that follows Standard Schema (zod, valibot, arktype, …). */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { PawlError } from '../errors.ts';
import { ERROR_BRAND } from '../runtime/errors.ts';

export type Schema<I = unknown, O = I> = StandardSchemaV1<I, O>;

/** What goes in, before it is parsed. */
export type InputOf<S> = S extends StandardSchemaV1<infer I, unknown> ? I : never;
/** What comes out of parsing. */
export type OutputOf<S> = S extends StandardSchemaV1<unknown, infer O> ? O : never;

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
  const problems = result.issues.map((issue) => `${pathOf(side, issue.path)}: ${issue.message}`);
  const error = new PawlError(code, `The ${side} of ${owner} does not match its schema. ${problems.join('; ')}`, {
    place: owner,
    remedy:
      side === 'input'
        ? 'Pass a value that matches the schema.'
        : 'Return a value that matches the schema, or change the schema.',
    details: {
      side,
      issues: result.issues.map((issue) => ({ path: pathOf(side, issue.path), message: issue.message })),
    },
  });
  Object.defineProperty(error, ERROR_BRAND, { value: 'fatal' });
  throw error;
}

type Path = StandardSchemaV1.Issue['path'];

/** `input.items[0].price` */
function pathOf(root: string, path: Path): string {
  let text = root;
  for (const segment of path ?? []) {
    const key = typeof segment === 'object' ? segment.key : segment;
    if (typeof key === 'string' && /^[A-Za-z_$][\w$]*$/.test(key)) text += `.${key}`;
    else text += `[${typeof key === 'string' ? JSON.stringify(key) : String(key)}]`;
  }
  return text;
}
