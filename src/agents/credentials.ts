/** What an action is given under `credentials`, and what is missing for it. */
import { PawlError } from '../errors.ts';
import { ERROR_BRAND } from '../runtime/errors.ts';
import { type MissingCredential, missingCredentials } from '../runtime/missing-credentials.ts';
import { valuesOf } from './credential-values.ts';
import { CREDENTIAL, type Credential, type CredentialSpec, defineCredential } from './define-credential.ts';
import { tokenOf } from './oauth-tokens.ts';

export type Values = Record<string, Record<string, string>>;

/**
 * Values of credentials.
 *
 * @param owner - `action triage`
 * @param rejected - the values of before, whose tokens a server did not accept: they are got anew
 * @throws PawlError `PAWL_CREDENTIAL_MISSING`, which names every variable that is not set and never a value; `PAWL_CREDENTIAL_UNRESOLVED`,
 *   `PAWL_OAUTH_REFUSED`, `PAWL_OAUTH_UNAVAILABLE`
 */
async function resolveCredentials(
  credentials: readonly Credential[],
  owner: string,
  rejected?: Values,
): Promise<Values> {
  const found = await Promise.all(
    credentials.map(async (credential) => {
      const spec = specOf(credential);
      return { spec, values: await valuesOf(spec) };
    }),
  );
  const missing = found.flatMap(({ spec, values }) => missingOf(spec, values, owner));
  if (missing.length > 0) throw fatal(missingCredentials(missing));
  const resolved = await Promise.all(
    found.map(async ({ spec, values }) => {
      if (spec.kind === 'fields' || isGiven(values)) return [spec.key, values] as const;
      const accessToken = await tokenOf(spec, values, rejected?.[spec.key]?.accessToken);
      return [spec.key, { accessToken }] as const;
    }),
  );
  return Object.fromEntries(resolved);
}

/**
 * Runs an action's code with the values of its credentials, and once more with other tokens where a server did not take those that it got.
 *
 * @param owner - `action triage`
 * @throws PawlError as `resolveCredentials`; `PAWL_UNAUTHORIZED`, after which no attempt is made, when fresh tokens are not taken
 *   either; what `run` throws
 */
export async function withCredentials(
  credentials: readonly Credential[],
  owner: string,
  { signal }: { signal: AbortSignal },
  run: (values: Values) => unknown,
): Promise<unknown> {
  if (credentials.length === 0) return run({});
  const values = await resolveCredentials(credentials, owner);
  try {
    return await run(values);
  } catch (error) {
    if (!isUnauthorized(error) || !credentials.some(({ kind }) => kind === 'oauth') || signal.aborted) throw error;
  }
  const renewed = await resolveCredentials(credentials, owner, values);
  try {
    return await run(renewed);
  } catch (error) {
    throw isUnauthorized(error) ? unauthorized(owner, credentials, error) : error;
  }
}

/** The errors of most HTTP clients, or a `Response` that was thrown. */
function isUnauthorized(thrown: unknown): boolean {
  if (typeof thrown !== 'object' || thrown === null) return false;
  const { status, statusCode, response } = thrown as Record<'status' | 'statusCode' | 'response', unknown>;
  return status === 401 || statusCode === 401 || (response as { status?: unknown } | null | undefined)?.status === 401;
}

function unauthorized(owner: string, credentials: readonly Credential[], cause: unknown): PawlError {
  const keys = credentials.filter(({ kind }) => kind === 'oauth').map(({ key }) => key);
  const refreshed = keys.length === 1 ? `credential ${keys[0]} was` : `credentials ${keys.join(' and ')} were`;
  const message = `A server answered ${owner} with 401, and again after the ${refreshed} refreshed.`;
  const remedy = 'See which scope and which audience the server asks for.';
  return fatal(
    new PawlError('PAWL_UNAUTHORIZED', message, {
      place: owner,
      remedy,
      ...(cause instanceof Error && { cause }),
    }),
  );
}

/** Fields for which nobody has a value; no token is got for that. */
export async function findMissing(credentials: readonly Credential[], owner: string): Promise<MissingCredential[]> {
  const found = await Promise.all(
    credentials.map(async (credential) => {
      const spec = specOf(credential);
      return missingOf(spec, await valuesOf(spec), owner);
    }),
  );
  return found.flat();
}

function missingOf(
  { key, kind, variables }: CredentialSpec,
  values: Record<string, string>,
  owner: string,
): MissingCredential[] {
  if (kind === 'oauth' && isGiven(values)) return [];
  return Object.entries(variables).flatMap(([field, variable]) =>
    values[field] === undefined ? [{ credential: key, field, variable, owner }] : [],
  );
}

/** A test gives the token itself. */
function isGiven({ accessToken }: Record<string, string>): boolean {
  return accessToken !== undefined;
}

/** A credential may have been written without `defineCredential`, by hand. */
function specOf(credential: Credential): CredentialSpec {
  const spec = (credential as { [CREDENTIAL]?: CredentialSpec })[CREDENTIAL];
  return spec ?? specOf(defineCredential(credential as Credential & { kind: 'fields' }));
}

/** Trying again would not help. */
function fatal(error: PawlError): PawlError {
  return Object.defineProperty(error, ERROR_BRAND, { value: 'fatal' });
}
