/** What a credential is made of, and the environment variables that have it: the build writes it down, the run reads it. */

/** As much of the options of `defineCredential` as that takes. */
export interface CredentialShape {
  key: string;
  kind?: 'fields' | 'oauth';
  fields?: readonly string[] | Readonly<Record<string, unknown>>;
  grant?: string;
  authentication?: string;
}

/**
 * The variables by the secrets that they have.
 *
 * @example
 * credentialVariables({ key: 'linear', fields: ['apiKey'] }); // { apiKey: 'LINEAR_API_KEY' }
 */
export function credentialVariables({
  key,
  kind,
  fields = [],
  grant,
  authentication,
}: CredentialShape): Record<string, string> {
  if (kind !== 'oauth') {
    if (isList(fields)) return named(key, fields);
    // Written for Keystroke, a schema may stand where the name of a variable would.
    const own = Object.entries(fields).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
    return { ...named(key, Object.keys(fields)), ...Object.fromEntries(own) };
  }
  const secrets = ['clientId'];
  if (authentication !== 'none') secrets.push('clientSecret');
  if (grant === 'refresh-token') secrets.push('refreshToken');
  return named(key, secrets);
}

function isList(fields: NonNullable<CredentialShape['fields']>): fields is readonly string[] {
  return Array.isArray(fields);
}

function named(key: string, fields: readonly string[]): Record<string, string> {
  return Object.fromEntries(fields.map((field) => [field, `${snake(key)}_${snake(field)}`]));
}

/** `apiKey` → `API_KEY` */
function snake(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .toUpperCase();
}
