/**
 * Tokens of OAuth credentials, kept in memory for all actions of the process. Whoever needs a token while one is being got waits for that
 * one: a server that rotates refresh tokens takes a second use of one for a theft.
 */
import type { PawlError } from '../errors.ts';
import { ERROR_BRAND } from '../runtime/errors.ts';
import { keepSecret } from '../secrets.ts';
import { valuesOf } from './credential-values.ts';
import type { CredentialSpec } from './define-credential.ts';
import type { Grant } from './oauth.ts';

type OAuthSpec = Extract<CredentialSpec, { kind: 'oauth' }>;

interface Token {
  accessToken: string | null;
  /** Ms since 1970; infinite when the server does not say. */
  expiresAt: number;
  /** The refresh token that was given, and the one that holds now. */
  given: string | undefined;
  refreshToken: string | undefined;
  /** Holds a refresh token that its owner has not been told of. */
  unsaved: boolean;
  pending: Promise<string> | null;
}

/** pawl exists in several copies in a process: bundles carry their own. */
const KEY = Symbol.for('pawl.oauth-tokens.1');

function tokens(): Map<string, Token> {
  const holder = globalThis as unknown as Record<symbol, Map<string, Token> | undefined>;
  holder[KEY] ??= new Map();
  return holder[KEY];
}

/** So long before it expires a token is got anew, ms: the request that it is for has to arrive too. */
const MARGIN = 60_000;

/** An access token that holds. */
export async function tokenOf(spec: OAuthSpec, values: Record<string, string>, rejected?: string): Promise<string> {
  const token = entryOf(spec, values);
  if (rejected !== undefined && token.accessToken === rejected) token.accessToken = null;
  if (token.accessToken !== null && Date.now() < token.expiresAt) {
    keepSecret(token.accessToken, `${spec.key}.accessToken`);
    return token.accessToken;
  }
  token.pending ??= renew(spec, values, token).finally(() => {
    token.pending = null;
  });
  return token.pending;
}

function entryOf(spec: OAuthSpec, { clientId, clientSecret, refreshToken }: Record<string, string>): Token {
  const { key, tokenUrl, issuer, scope, parameters, grant } = spec;
  const id = JSON.stringify([key, tokenUrl, issuer, grant, scope, parameters, clientId, clientSecret]);
  let token = tokens().get(id);
  if (token === undefined) {
    token = { accessToken: null, expiresAt: 0, given: refreshToken, refreshToken, unsaved: false, pending: null };
    tokens().set(id, token);
  }
  take(token, refreshToken);
  return token;
}

/** A refresh token that is neither the one of the beginning nor the one of now was put there by somebody. */
function take(token: Token, refreshToken: string | undefined): void {
  if (refreshToken === token.given || refreshToken === token.refreshToken) return;
  token.given = refreshToken;
  token.refreshToken = refreshToken;
}

async function renew(spec: OAuthSpec, values: Record<string, string>, token: Token): Promise<string> {
  const { requestToken } = await import('./oauth.ts');
  const request = (): Promise<Grant> =>
    requestToken(spec, token.refreshToken === undefined ? values : { ...values, refreshToken: token.refreshToken });
  try {
    if (token.unsaved) await save(spec, token);
    const grant = await request().catch(async (error: PawlError) => {
      // Another process may have used it in the meantime, and have kept what it got.
      const used = token.refreshToken;
      if (!isSpent(error) || used === undefined) throw error;
      take(token, (await valuesOf(spec)).refreshToken);
      if (token.refreshToken === used) throw error;
      return request();
    });
    const lifetime = grant.expiresIn === undefined ? Infinity : grant.expiresIn * 1_000;
    token.accessToken = grant.accessToken;
    token.expiresAt = Date.now() + lifetime - Math.min(MARGIN, lifetime / 2);
    if (grant.refreshToken !== undefined && grant.refreshToken !== token.refreshToken) {
      token.refreshToken = grant.refreshToken;
      token.unsaved = true;
      await save(spec, token);
    }
    return grant.accessToken;
  } catch (error) {
    throw judged(error as PawlError);
  }
}

async function save(spec: OAuthSpec, token: Token): Promise<void> {
  await spec.saveRefreshToken?.(token.refreshToken as string);
  token.unsaved = false;
}

function isSpent({ code, details }: PawlError): boolean {
  return code === 'PAWL_OAUTH_REFUSED' && (details as { error?: unknown } | undefined)?.error === 'invalid_grant';
}

/** What was refused will be refused again; whoever is busy says when to come back. */
function judged(error: PawlError): PawlError {
  const { code, details } = error;
  if (code === 'PAWL_OAUTH_REFUSED')
    return Object.defineProperty(error, ERROR_BRAND, { value: 'fatal', configurable: true });
  const after = (details as { retryAfter?: string } | undefined)?.retryAfter;
  if (code !== 'PAWL_OAUTH_UNAVAILABLE' || after === undefined) return error;
  const seconds = Number(after);
  const retryAfter = Number.isFinite(seconds) ? seconds * 1_000 : new Date(after);
  if (retryAfter instanceof Date && Number.isNaN(retryAfter.getTime())) return error;
  Object.defineProperty(error, 'retryAfter', { value: retryAfter, configurable: true });
  return Object.defineProperty(error, ERROR_BRAND, { value: 'retryable', configurable: true });
}
