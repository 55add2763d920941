/**
 * An authorization server, and an API that takes its tokens: client credentials, refresh tokens that are rotated and of which a second use is
 * an offence, expiry, metadata. It speaks HTTP.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

/** What a request is answered with; a text stays as it is. */
export interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface AuthorizationServer {
  readonly url: string;
  readonly tokenUrl: string;
  readonly apiUrl: string;
  /** Requests for tokens, as they came. */
  readonly requests: Record<string, string>[];
  /** Tokens that the API was given, with what it answered. */
  readonly calls: { token: string; status: number }[];
  /** Refresh tokens that hold. */
  readonly refreshTokens: Set<string>;
  /** Access tokens are no longer taken from now on. */
  revoke(): void;
  /** What the next requests for tokens are answered with instead. */
  answers: (Answer | 'hang up')[];
  /** From now on nobody is there. */
  close(): void;
  /** s; null: the server does not say, and they hold. */
  expiresIn: number | null;
  /** Requests wait until it is resolved. */
  gate: Promise<void>;
}

export const CLIENT = { id: 'pawl-client', secret: 'client secret+with/odd=characters' };

export async function authorizationServer({ rotate = true }: { rotate?: boolean } = {}): Promise<AuthorizationServer> {
  const tokens = new Map<string, number>();
  const spent = new Set<string>();
  let made = 0;
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  onTestFinished(close);
  const it: AuthorizationServer = {
    url,
    tokenUrl: `${url}/token`,
    apiUrl: `${url}/api`,
    requests: [],
    calls: [],
    refreshTokens: new Set(['refresh-token-0']),
    revoke: () => tokens.clear(),
    answers: [],
    close,
    expiresIn: 3600,
    gate: Promise.resolve(),
  };

  const json = (
    response: ServerResponse,
    status: number,
    body: unknown,
    headers: Record<string, string> = {},
  ): void => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === '/.well-known/openid-configuration')
      return json(response, 200, { issuer: url, token_endpoint: it.tokenUrl });
    if (request.url?.endsWith('/nobody') || request.url?.startsWith('/.well-known/')) return json(response, 404, {});
    if (request.url === '/api') {
      const token = (request.headers.authorization ?? '').replace(/^Bearer /, '');
      const status = (tokens.get(token) ?? 0) > Date.now() ? 200 : 401;
      it.calls.push({ token, status });
      return json(response, status, { status });
    }
    const form = Object.fromEntries(new URLSearchParams(await text(request)));
    const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    const [id, secret] = basic
      ? atob(basic)
          .split(':')
          .map((part) => decodeURIComponent(part.replaceAll('+', ' ')))
      : [form.client_id, form.client_secret];
    it.requests.push({ ...form, by: basic ? 'basic' : 'body' });
    await it.gate;
    const other = it.answers.shift();
    if (other === 'hang up') return void request.socket.destroy();
    if (other) return json(response, other.status, other.body ?? {}, other.headers);
    if (id !== CLIENT.id || secret !== CLIENT.secret)
      return json(response, 401, { error: 'invalid_client', error_description: `no client ${secret}` });
    const accessToken = `access-token-${++made}`;
    let refreshToken: string | undefined;
    if (form.grant_type === 'refresh_token') {
      const used = form.refresh_token ?? '';
      // As servers do against thieves: who comes with a spent one ends the whole family.
      if (spent.has(used)) it.refreshTokens.clear();
      if (!it.refreshTokens.has(used)) return json(response, 400, { error: 'invalid_grant' });
      if (rotate) {
        it.refreshTokens.delete(used);
        spent.add(used);
        refreshToken = `refresh-token-${made}`;
        it.refreshTokens.add(refreshToken);
      }
    }
    tokens.set(accessToken, it.expiresIn === null ? Infinity : Date.now() + it.expiresIn * 1000);
    json(response, 200, {
      access_token: accessToken,
      token_type: 'bearer',
      ...(it.expiresIn !== null && { expires_in: it.expiresIn }),
      ...(refreshToken && { refresh_token: refreshToken }),
      // What nobody asked for, and nobody could verify.
      id_token: 'e30.e30.',
    });
  }
  return it;
}
