/**
 * Schemas of hooks: what a payload must be. They live in workflow code, so they are asked inside the realm: before a payload is kept
 * (`payload-check.ts`), and again when it is handed over, where a refusal is recorded.
 */
import { PawlError } from '../errors.ts';
import type { Codec } from './serialization/codec.ts';
import { describeIssues, issuesOf, type Schema, type SchemaIssue } from './schema-issues.ts';

/** What a schema says of a payload: the value that it makes of it, or what is wrong. */
export type Verdict = { value: unknown } | { issues: SchemaIssue[] };

/**
 * Asks a schema. One that answers at once is heard at once, so that payloads keep their order.
 *
 * @param then gets the verdict
 */
export function judge(schema: Schema, payload: unknown, then: (verdict: Verdict) => void): void {
  const threw = (error: unknown): void => {
    const message = `the schema threw ${String((error as { message?: unknown } | null)?.message ?? error)}`;
    then({ issues: [{ path: 'payload', message }] });
  };
  const heard = (result: Awaited<ReturnType<Schema['~standard']['validate']>>): void =>
    then(result.issues ? { issues: issuesOf('payload', result.issues) } : { value: result.value });
  try {
    const result = schema['~standard'].validate(payload);
    if (result instanceof Promise) result.then(heard).catch(threw);
    else heard(result);
  } catch (error) {
    threw(error);
  }
}

/** @throws PawlError `PAWL_HOOK_SCHEMA` for anything but a schema */
export function checkSchema(schema: unknown): asserts schema is Schema | undefined {
  if (schema === undefined) return;
  const standard = (schema as { '~standard'?: { validate?: unknown } } | null)?.['~standard'];
  if (typeof standard?.validate === 'function') return;
  throw new PawlError('PAWL_HOOK_SCHEMA', 'The schema of a hook is none that pawl can ask.', {
    remedy: 'Pass a schema of zod 4 or of another library that follows Standard Schema, or leave it out.',
  });
}

/** A payload that the schema of its hook refuses. */
export function payloadError(token: string, issues: readonly SchemaIssue[]): PawlError {
  return new PawlError(
    'PAWL_PAYLOAD_INVALID',
    `The payload for hook ${token} does not match its schema. ${describeIssues(issues)}.`,
    {
      remedy: 'Send a payload that matches the schema of the hook; nothing was kept of this one.',
      details: { issues },
    },
  );
}

const HOOK_KEY = 'pawl.hook';

/** What stands with a hook that has a schema: that it has one, and its own metadata. */
export function stringifyWithSchema(codec: Codec, metadata: unknown, what: string): string {
  const own = metadata === undefined ? {} : { metadata };
  return codec.stringify({ [HOOK_KEY]: own }, { root: (path) => path.slice(path.indexOf('metadata')), what });
}

/** Whether a hook says that it has a schema. */
export function hasSchema(metadata: string | null): boolean {
  return metadata?.includes(`"${HOOK_KEY}"`) === true;
}

/**
 * The metadata of a hook as its workflow gave them.
 *
 * @internal
 */
export function readMetadata(codec: Codec, metadata: string | null): unknown {
  if (metadata === null) return undefined;
  const value = codec.parse(metadata);
  if (!hasSchema(metadata)) return value;
  const marked = (value as { [HOOK_KEY]?: { metadata?: unknown } } | null)?.[HOOK_KEY];
  return marked === undefined ? value : marked.metadata;
}
