/**
 * `pawl/internal/oauth`: asks an authorization server for a token. Of all pawl only this knows the protocol; it is loaded when a credential
 * needs it, and stays out of bundles. Not for people.
 */
import * as oauth from 'oauth4webapi';
import { PawlError } from '../errors.ts';
import { keepSecret } from '../secrets.ts';
import type { CredentialSpec } from './define-credential.ts';

export interface Grant {
  accessToken: string;
  /** Takes the place of the one that was used. */
  refreshToken?: string;
  /** How long the access token holds, s; undefined when the server does not say. */
  expiresIn?: number;
}

type OAuthSpec = Extract<CredentialSpec, { kind: 'oauth' }>;

/** How long a server may take to answer, ms. */
const TIMEOUT = 30_000;

/**
 * Gets a token.
 *
 * @param values - `clientId`, `clientSecret` and `refreshToken`, as far as the grant takes them
 * @throws PawlError `PAWL_OAUTH_REFUSED` when the server says no, `PAWL_OAUTH_UNAVAILABLE` when it says nothing of use
 */
export async function requestToken(spec: OAuthSpec, values: Record<string, string>): Promise<Grant> {
  const { key, scope, parameters = {}, authentication, grant } = spec;
  const { clientId = '', clientSecret = '', refreshToken = '' } = values;
  // How the secret is written in a `Basic` header, whoever quotes it.
  keepSecret(btoa(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`), `${key}.clientSecret`);
  try {
    const server = await serverOf(spec);
    const client = { client_id: clientId };
    const proof =
      authentication === 'none'
        ? oauth.None()
        : authentication === 'body'
          ? oauth.ClientSecretPost(clientSecret)
          : oauth.ClientSecretBasic(clientSecret);
    const scopes = typeof scope === 'string' ? scope : scope?.join(' ');
    const further = { ...(scopes !== undefined && { scope: scopes }), ...parameters };
    const http = httpOptions(key, server.token_endpoint ?? '');
    const response =
      grant === 'refresh-token'
        ? await oauth.refreshTokenGrantRequest(server, client, proof, refreshToken, {
            ...http,
            additionalParameters: further,
          })
        : await oauth.clientCredentialsGrantRequest(server, client, proof, further, http);
    const answer = await withoutIdToken(response);
    const result =
      grant === 'refresh-token'
        ? await oauth.processRefreshTokenResponse(server, client, answer)
        : await oauth.processClientCredentialsResponse(server, client, answer);
    const { access_token: accessToken, refresh_token: next, expires_in: expiresIn } = result;
    keepSecret(accessToken, `${key}.accessToken`);
    if (next !== undefined) keepSecret(next, `${key}.refreshToken`);
    return {
      accessToken,
      ...(next !== undefined && { refreshToken: next }),
      ...(expiresIn !== undefined && { expiresIn }),
    };
  } catch (error) {
    throw explain(error, key);
  }
}

async function serverOf({ key, tokenUrl, issuer }: OAuthSpec): Promise<oauth.AuthorizationServer> {
  if (tokenUrl !== undefined) return { issuer: new URL(tokenUrl).origin, token_endpoint: tokenUrl };
  const url = new URL(issuer as string);
  const http = httpOptions(key, url.href);
  const first = await oauth.discoveryRequest(url, http);
  if (first.ok) return oauth.processDiscoveryResponse(url, first);
  return oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, { ...http, algorithm: 'oauth2' }));
}

/** Secrets travel encrypted, but for what never leaves the machine. */
function httpOptions(key: string, target: string): { signal: AbortSignal; [oauth.allowInsecureRequests]?: true } {
  const { protocol, hostname } = new URL(target);
  const signal = AbortSignal.timeout(TIMEOUT);
  if (protocol === 'https:') return { signal };
  if (/^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname)) return { signal, [oauth.allowInsecureRequests]: true };
  throw new PawlError(
    'PAWL_OAUTH_REFUSED',
    `The credential ${key} would send its secrets over ${protocol}//${hostname}, unencrypted.`,
    {
      place: `credential ${key}`,
      remedy: 'Write an `https:` address.',
    },
  );
}

/** Nobody asked who the user is, and to verify the answer takes more than is known here. */
async function withoutIdToken(response: Response): Promise<Response> {
  if (!response.ok) return response;
  const text = await response.text();
  const { status, headers } = response;
  try {
    const { id_token: _, ...rest } = JSON.parse(text) as Record<string, unknown>;
    return new Response(JSON.stringify(rest), { status, headers });
  } catch {
    return new Response(text, { status, headers });
  }
}

function explain(error: unknown, key: string): PawlError {
  if (error instanceof PawlError) return error;
  const place = `credential ${key}`;
  if (error instanceof oauth.ResponseBodyError && error.status < 500 && error.status !== 429) {
    const { error: code, error_description: description } = error;
    const why = description === undefined ? code : `${code}, ${description.replace(/\.$/, '')}`;
    return new PawlError(
      'PAWL_OAUTH_REFUSED',
      `The authorization server gives no token for the credential ${key}: ${why}.`,
      {
        place,
        remedy:
          code === 'invalid_grant'
            ? 'The refresh token holds no more: authorize anew, and set the new one.'
            : 'See that the client id, its secret and the scope are those that the server knows.',
        cause: error,
        details: { error: code },
      },
    );
  }
  const { status, response } = error as { status?: number; response?: Response; cause?: unknown };
  const answered = status ?? response?.status ?? (error as { cause?: { status?: number } }).cause?.status;
  const reason = typeof answered === 'number' ? `it answered ${answered}` : messageOf(error);
  return new PawlError(
    'PAWL_OAUTH_UNAVAILABLE',
    `The authorization server gives no token for the credential ${key}: ${reason}.`,
    {
      place,
      remedy: 'See whether it is reached and well; the step is tried again.',
      cause: error,
      ...(response?.headers?.get('retry-after') && { details: { retryAfter: response.headers.get('retry-after') } }),
    },
  );
}

function messageOf(error: unknown): string {
  const { message, cause } = error as Error;
  const inner = cause instanceof Error && cause.message !== '' ? ` (${cause.message})` : '';
  return `${message ?? String(error)}`.replace(/\.$/, '') + inner;
}
