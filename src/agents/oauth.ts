/**
 * `pawl/internal/oauth`: asks an authorization server for a token. Of all pawl only this knows the protocol; it is loaded when a credential
 * needs it, and stays out of bundles. Not for people.
 */
import * as oauth from 'oauth4webapi';
import { PawlError } from '../errors.ts';
import { keepSecret } from '../secrets.ts';
import type { CredentialSpec } from './define-credential.ts';
import { type Asked, explain, misdefined, refused, unavailable } from './oauth-errors.ts';

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
  const asked = askedOf(spec);
  try {
    const server = await serverOf(spec, asked);
    const client = { client_id: clientId };
    const proof =
      authentication === 'none'
        ? oauth.None()
        : authentication === 'body'
          ? oauth.ClientSecretPost(clientSecret)
          : oauth.ClientSecretBasic(clientSecret);
    const scopes = typeof scope === 'string' ? scope : scope?.join(' ');
    const further = { ...(scopes !== undefined && { scope: scopes }), ...parameters };
    const http = httpOptions(asked, server.token_endpoint);
    const response =
      grant === 'refresh-token'
        ? await oauth.refreshTokenGrantRequest(server, client, proof, refreshToken, {
            ...http,
            additionalParameters: further,
          })
        : await oauth.clientCredentialsGrantRequest(server, client, proof, further, http);
    const answer = await answerOf(response, asked);
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
    throw explain(asked, error, TIMEOUT);
  }
}

function askedOf({ key, tokenUrl, issuer }: OAuthSpec): Asked {
  return tokenUrl === undefined
    ? { key, address: issuer as string, option: 'issuer' }
    : { key, address: tokenUrl, option: 'tokenUrl' };
}

async function serverOf({ tokenUrl, issuer }: OAuthSpec, asked: Asked): Promise<oauth.AuthorizationServer> {
  const url = urlOf(asked, asked.address);
  if (tokenUrl !== undefined) return { issuer: url.origin, token_endpoint: tokenUrl };
  const http = httpOptions(asked, issuer);
  let response = await oauth.discoveryRequest(url, http);
  if (!response.ok) response = await oauth.discoveryRequest(url, { ...http, algorithm: 'oauth2' });
  if (!response.ok) throw refused(asked, response, null, ' when it was asked for its metadata');
  return oauth.processDiscoveryResponse(url, response);
}

function urlOf(asked: Asked, address: string | undefined): URL {
  if (address === undefined) throw misdefined(asked, 'its metadata names no token endpoint');
  if (!URL.canParse(address)) throw misdefined(asked, `\`${address}\` is no address`);
  return new URL(address);
}

/** Secrets travel encrypted, but for what never leaves the machine. */
function httpOptions(
  asked: Asked,
  target: string | undefined,
): { signal: AbortSignal; [oauth.allowInsecureRequests]?: true } {
  const { protocol, hostname } = urlOf(asked, target);
  const signal = AbortSignal.timeout(TIMEOUT);
  if (protocol === 'https:') return { signal };
  if (/^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname)) return { signal, [oauth.allowInsecureRequests]: true };
  throw new PawlError(
    'PAWL_OAUTH_REFUSED',
    `The credential ${asked.key} would send its secrets over ${protocol}//${hostname}, unencrypted.`,
    {
      place: `credential ${asked.key}`,
      remedy: 'Write an `https:` address.',
    },
  );
}

/**
 * The answer, if it may be a token. Whatever says why there is none is read here: the library looks at a challenge in the headers first,
 * which must stand there beside `invalid_client` and says less. Without an id token: nobody asked who the user is, and to verify the answer
 * takes more than is known here.
 */
async function answerOf(response: Response, asked: Asked): Promise<Response> {
  const body = objectIn(await response.text());
  const saysWhy = typeof body?.error === 'string' && body.access_token === undefined;
  if (!response.ok || saysWhy) throw refused(asked, response, body);
  if (body === null) throw unavailable(asked, `it answered ${response.status}, and not with JSON`);
  const { id_token: _, ...rest } = body;
  return Response.json(rest);
}

function objectIn(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
