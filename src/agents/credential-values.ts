/** Values of secrets: asked of resolvers, then of the environment, then of files. */
import { PawlError } from '../errors.ts';
import { type CredentialResolver, credentialSources } from '../runtime/credential-sources.ts';
import { keepSecret } from '../secrets.ts';
import type { CredentialSpec } from './define-credential.ts';

/**
 * The values that a credential is made of, as far as they are there; of an OAuth credential the `accessToken` alone, where a test gives it.
 *
 * @throws PawlError `PAWL_CREDENTIAL_UNRESOLVED` when a resolver fails, `PAWL_ENV_FILE` when a file cannot be read
 */
export async function valuesOf(spec: CredentialSpec): Promise<Record<string, string>> {
  const { key, variables } = spec;
  // Without a prototype: a field may be named like anything that objects have.
  const values = Object.create(null) as Record<string, string>;
  const { given = {} } = credentialSources();
  if (Object.hasOwn(given, key)) {
    const fields = [...Object.keys(variables), ...(spec.kind === 'oauth' ? ['accessToken'] : [])];
    Object.assign(values, await ask(() => given[key], key, fields));
  }
  const hasToken = spec.kind === 'oauth' && values.accessToken !== undefined;
  const wanted = hasToken ? [] : Object.keys(variables);
  const missing = (): string[] => wanted.filter((field) => values[field] === undefined);
  for (const resolve of [spec.resolve, credentialSources().resolve]) {
    const fields = missing();
    if (resolve !== undefined && fields.length > 0) Object.assign(values, await ask(resolve, key, fields));
  }
  for (const field of missing()) {
    const value = readVariable(variables[field] as string);
    if (value !== undefined) values[field] = value;
  }
  const open: readonly string[] = spec.kind === 'fields' ? (spec.public ?? []) : ['clientId'];
  for (const [field, value] of Object.entries(values)) if (!open.includes(field)) keepSecret(value, `${key}.${field}`);
  return values;
}

async function ask(
  resolve: CredentialResolver,
  key: string,
  fields: readonly string[],
): Promise<Record<string, string>> {
  let given: Awaited<ReturnType<CredentialResolver>>;
  try {
    given = await inTime(key, resolve({ key, fields }));
  } catch (cause) {
    if (cause instanceof PawlError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PawlError(
      'PAWL_CREDENTIAL_UNRESOLVED',
      `The resolver of the credential ${key} failed: ${reason.replace(/\.$/, '')}.`,
      {
        place: `credential ${key}`,
        remedy: 'See what it asks: a vault that does not answer, say. The step is tried again.',
        cause,
      },
    );
  }
  const values = Object.create(null) as Record<string, string>;
  for (const field of fields) {
    const isInherited = field in Object.prototype && !Object.hasOwn(given ?? {}, field);
    const value: unknown = isInherited ? undefined : given?.[field];
    if (typeof value === 'string' && value !== '') values[field] = value;
    else if (value !== undefined && value !== null && value !== '')
      throw new PawlError(
        'PAWL_CREDENTIAL_UNRESOLVED',
        `The resolver of the credential ${key} gave a ${typeof value} for ${field}.`,
        {
          place: `credential ${key}`,
          remedy: 'Values of credentials are texts.',
        },
      );
  }
  return values;
}

/** How long a resolver may take, ms: who looks for what is missing waits for it before anything begins. */
const PATIENCE = 30_000;

async function inTime<T>(key: string, given: T | Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const message = `The resolver of the credential ${key} has not answered within ${PATIENCE / 1_000} s.`;
      const remedy = 'See what it asks: a vault that does not answer, say. The step is tried again.';
      reject(new PawlError('PAWL_CREDENTIAL_UNRESOLVED', message, { place: `credential ${key}`, remedy }));
    }, PATIENCE);
  });
  try {
    return await Promise.race([given, late]);
  } finally {
    clearTimeout(timer);
  }
}

const DEFAULT_FILES = ['.env.local', '.env'];

/** A variable of the environment, else of the first file that has it. */
function readVariable(name: string): string | undefined {
  const own = process.env[name];
  if (own !== undefined && own !== '') return own;
  const { root = process.cwd(), files = DEFAULT_FILES } = credentialSources();
  for (const file of files) {
    const value = readEnvFile(root, file)[name];
    if (value !== undefined && value !== '') return value;
  }
  return undefined;
}

const cache = new Map<string, { stamp: string; variables: Record<string, string | undefined> }>();

/** What a file says; nothing where there is none. Read again when it has changed. */
function readEnvFile(root: string, file: string): Record<string, string | undefined> {
  // Not imported: apps bundle `pawl` for places that have no such modules.
  const fs = process.getBuiltinModule('node:fs');
  const path = process.getBuiltinModule('node:path').resolve(root, file);
  try {
    const stats = fs.statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return {};
    const stamp = `${stats.mtimeMs} ${stats.size}`;
    const known = cache.get(path);
    if (known?.stamp === stamp) return known.variables;
    const text = fs.readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
    const variables = process.getBuiltinModule('node:util').parseEnv(text) as Record<string, string>;
    cache.set(path, { stamp, variables });
    return variables;
  } catch (cause) {
    throw new PawlError('PAWL_ENV_FILE', `The file of variables cannot be read: ${(cause as Error).message}.`, {
      place: path,
      remedy: 'Make it readable, or name other files under `credentials` in pawl.config.',
      cause,
    });
  }
}
