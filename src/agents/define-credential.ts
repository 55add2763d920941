/** Secrets that actions need. */
export interface Credential<K extends string = string, F extends string = string> {
  readonly key: K;
  readonly fields: readonly F[];
}

/** `{ linear: { apiKey: '…' } }`: what an action's `run` gets. */
export type CredentialValues<C extends readonly Credential[]> = {
  readonly [Each in C[number] as Each['key']]: { readonly [Field in Each['fields'][number]]: string };
};

/**
 * Defines a credential: which secrets, not their values. They come from environment variables named after key and field
 * (`linear`, `apiKey` → `LINEAR_API_KEY`) when an action runs; they are never recorded.
 *
 * @example
 * export const linear = defineCredential({ key: 'linear', fields: ['apiKey'] });
 */
export function defineCredential<const K extends string, const F extends string>(options: {
  key: K;
  fields: readonly F[];
}): Credential<K, F> {
  return { key: options.key, fields: options.fields };
}
