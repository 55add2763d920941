/** What schemas find wrong, in words. Serves definitions, and hooks inside and outside of the realm. */
import type { StandardSchemaV1 } from '@standard-schema/spec';

/** A schema of any library that follows Standard Schema (zod, valibot, arktype, …). */
export type Schema<I = unknown, O = I> = StandardSchemaV1<I, O>;

/** What goes in, before it is parsed. */
export type InputOf<S> = S extends StandardSchemaV1<infer I, unknown> ? I : never;
/** What comes out of parsing. */
export type OutputOf<S> = S extends StandardSchemaV1<unknown, infer O> ? O : never;

export interface SchemaIssue {
  /** `payload.items[0].price` */
  path: string;
  message: string;
}

/** @param root what the whole value is called: `input`, `payload` */
export function issuesOf(root: string, issues: readonly StandardSchemaV1.Issue[]): SchemaIssue[] {
  return issues.map(({ path, message }) => ({ path: pathOf(root, path), message: String(message) }));
}

export function describeIssues(issues: readonly SchemaIssue[]): string {
  return issues.map(({ path, message }) => `${path}: ${message}`).join('; ');
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
