/**
 * Glossary of credentials.
 *
 * - **credential**: which secrets an action needs, under a key; its **fields** are their names, never their values.
 * - **variable**: the environment variable of a field: `linear`, `apiKey` → `LINEAR_API_KEY`, unless the definition names another.
 * - **resolver**: a function that gives values; of a definition, or of `pawl.config` for all.
 * - **token**: what an authorization server gives for the secrets of an OAuth credential; actions get `accessToken`.
 */
import { PawlError } from '../errors.ts';
import { credentialVariables } from '../manifest/credential-variables.ts';
import type { CredentialResolver } from '../runtime/credential-sources.ts';

/** On definitions: what resolving needs. Copies of pawl share it. */
export const CREDENTIAL: unique symbol = Symbol.for('pawl.credential.1');

/** Secrets that actions need. */
export interface Credential<K extends string = string, F extends string = string> {
  readonly key: K;
  /** What an action gets: `['apiKey']`; of an OAuth credential `['accessToken']`. */
  readonly fields: readonly F[];
  readonly kind?: 'fields' | 'oauth';
}

/** `{ linear: { apiKey: '…' } }`: what an action's `run` gets. */
export type CredentialValues<C extends readonly Credential[]> = {
  readonly [Each in C[number] as Each['key']]: { readonly [Field in Each['fields'][number]]: string };
};

export interface FieldsCredentialOptions<K extends string, F extends string> {
  key: K;
  kind?: 'fields';
  /** Names of the secrets, or these with the environment variables that have them: `{ apiKey: 'LINEAR_KEY' }`. */
  fields: readonly F[] | Readonly<Record<F, string | object>>;
  /** Fields that are no secrets, a host or an account: they may be returned and shown. */
  public?: readonly NoInfer<F>[];
  /** Asked before the environment. */
  resolve?: CredentialResolver;
}

export interface OAuthCredentialOptions<K extends string> {
  key: K;
  kind: 'oauth';
  /** Where tokens are got; or `issuer`, which tells where. `http:` on this machine only. */
  tokenUrl?: string;
  /** The authorization server, where it publishes its metadata: OpenID Connect discovery or RFC 8414. */
  issuer?: string;
  /**
   * How tokens are got: with `clientId` and `clientSecret`, or with a `refreshToken` besides. Default `'client-credentials'`. The environment
   * variables are named after the key: `CRM_CLIENT_ID`, `CRM_CLIENT_SECRET`, `CRM_REFRESH_TOKEN`.
   */
  grant?: 'client-credentials' | 'refresh-token';
  /** How the client proves who it is; default `'basic'`, HTTP Basic. `'body'` sends the secret as a parameter, `'none'` has no secret. */
  authentication?: 'basic' | 'body' | 'none';
  scope?: string | readonly string[];
  /** Further parameters of the request: `{ audience: 'https://api.example.com' }`. */
  parameters?: Readonly<Record<string, string>>;
  /** Asked for `clientId`, `clientSecret` and `refreshToken` before the environment. */
  resolve?: CredentialResolver;
  /**
   * Told of a refresh token that takes the place of the one before, which is worth nothing then: keep it where `resolve` finds it. Without
   * it the new one is known to this process alone.
   */
  saveRefreshToken?: (refreshToken: string) => void | Promise<void>;
}

/** What resolving a credential needs to know. */
export type CredentialSpec =
  | (Omit<FieldsCredentialOptions<string, string>, 'fields' | 'kind'> & {
      kind: 'fields';
      variables: Record<string, string>;
    })
  | (OAuthCredentialOptions<string> & { variables: Record<string, string> });

/**
 * Defines a credential: which secrets, not their values. These come, when an action runs, from its `resolve`, from that of `pawl.config`, from
 * environment variables named after key and field (`linear`, `apiKey` → `LINEAR_API_KEY`), or from `.env.local` and `.env`; in that
 * order. They are never recorded.
 *
 * An OAuth credential gives `accessToken`. It is got when it is first needed, got anew before it expires and, once, when an action's `run`
 * rejects with something whose `status` is 401: the errors of most HTTP clients, or the `Response` itself. `run` is called again then.
 *
 * @throws PawlError `PAWL_DEFINITION`
 * @example
 * export const linear = defineCredential({ key: 'linear', fields: ['apiKey'] }); // credentials.linear.apiKey
 * @example
 * export const crm = defineCredential({ key: 'crm', kind: 'oauth', tokenUrl: 'https://auth.example.com/token', scope: 'contacts' });
 * // in run: const response = await fetch(url, { headers: { authorization: `Bearer ${credentials.crm.accessToken}` } });
 * //         if (response.status === 401) throw response; // with another token once more
 */
export function defineCredential<const K extends string>(
  options: OAuthCredentialOptions<K>,
): Credential<K, 'accessToken'>;
export function defineCredential<const K extends string, const F extends string>(
  options: FieldsCredentialOptions<K, F>,
): Credential<K, F>;
export function defineCredential(
  options: FieldsCredentialOptions<string, string> | OAuthCredentialOptions<string>,
): Credential {
  const { key } = options;
  if (typeof key !== 'string' || key === '')
    throw incomplete('The credential has no `key`.', 'Give it one: it names the credential in `run`.');
  const spec = options.kind === 'oauth' ? oauthSpec(options) : fieldsSpec(options);
  const fields = spec.kind === 'oauth' ? ['accessToken'] : Object.keys(spec.variables);
  return Object.defineProperty({ key, fields, kind: spec.kind }, CREDENTIAL, { value: spec });
}

function fieldsSpec({
  key,
  fields,
  public: open = [],
  resolve,
}: FieldsCredentialOptions<string, string>): CredentialSpec {
  if (typeof fields !== 'object' || fields === null || Object.keys(fields).length === 0)
    throw incomplete(`The credential ${key} has no \`fields\`.`, "Name its secrets: fields: ['apiKey'].");
  return { kind: 'fields', key, public: open, resolve, variables: credentialVariables({ key, fields }) };
}

function oauthSpec(options: OAuthCredentialOptions<string>): CredentialSpec {
  const { key, tokenUrl, issuer, grant = 'client-credentials', authentication = 'basic' } = options;
  if (typeof (tokenUrl ?? issuer) !== 'string')
    throw incomplete(`The credential ${key} has neither \`tokenUrl\` nor \`issuer\`.`, 'Say where its tokens are got.');
  return { ...options, grant, authentication, variables: credentialVariables(options) };
}

function incomplete(message: string, remedy: string): PawlError {
  return new PawlError('PAWL_DEFINITION', message, { remedy });
}
