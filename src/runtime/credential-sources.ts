/** Where values of credentials come from in this process, besides their definitions. */

/**
 * Gives values of a credential; fields that it leaves out are looked for elsewhere.
 *
 * @param wanted.key - of the credential
 * @param wanted.fields - names of the secrets
 */
export type CredentialResolver = (wanted: {
  key: string;
  fields: readonly string[];
}) => Partial<Record<string, string>> | null | undefined | Promise<Partial<Record<string, string>> | null | undefined>;

export interface CredentialSources {
  /** Folder of the files; default the working directory. */
  root?: string;
  /** Files of variables, `KEY=value` a line; the first that has a variable counts. Default `.env.local` and `.env`. */
  files?: readonly string[];
  /** Asked before the environment, for every credential. */
  resolve?: CredentialResolver;
  /**
   * Values of a test, by key: before any other source, and the `accessToken` of an OAuth credential, for which no server is asked then.
   *
   * @internal
   */
  given?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** pawl exists in several copies in a process: bundles carry their own. */
const KEY = Symbol.for('pawl.credential-sources.1');

/** Sets what holds for all actions of this process. */
export function setCredentialSources(sources: CredentialSources): void {
  (globalThis as unknown as Record<symbol, CredentialSources>)[KEY] = sources;
}

export function credentialSources(): CredentialSources {
  return (globalThis as unknown as Record<symbol, CredentialSources | undefined>)[KEY] ?? {};
}
