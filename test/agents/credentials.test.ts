/** Credentials: where values come from, tokens of a real authorization server, what is missing told at once. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, expectTypeOf, test, vi } from 'vitest';
import { z } from 'zod';
import { type Credential, defineAction, defineCredential, FatalError } from '../../src/index.ts';
import { type CredentialSources, setCredentialSources } from '../../src/runtime/credential-sources.ts';
import { createTestRuntime } from '../../src/testing/index.ts';
import { temporaryProject } from '../support/project.ts';
import { closeAll, setup } from '../runtime/support.ts';
import { type Answer, type AuthorizationServer, authorizationServer, CLIENT } from './support/authorization-server.ts';

let root = '';
const from = (sources: Omit<CredentialSources, 'root'> = {}): void => setCredentialSources({ root, ...sources });

beforeEach(() => {
  root = temporaryProject({});
  from();
});
afterEach(closeAll);
afterEach(() => {
  vi.unstubAllEnvs();
  setCredentialSources({});
});

const anything = { input: z.any(), output: z.any() };

/** What an action gets of a credential. */
function values(credential: Credential): Promise<unknown> {
  let seen: unknown;
  const look = defineAction({
    slug: 'look',
    ...anything,
    credentials: [credential],
    run: (_input, credentials) => {
      seen = credentials;
    },
  });
  return look.run(null).then(() => seen);
}

describe('values', () => {
  test('come from resolvers, the environment and files, in that order', async () => {
    writeFileSync(
      join(root, '.env'),
      'SHOP_A=file\nSHOP_B=file\nSHOP_C=file\nSHOP_D=file\nexport SHOP_E="of two\\nlines" # note\n',
    );
    writeFileSync(join(root, '.env.local'), '\uFEFFSHOP_D=local\r\n');
    vi.stubEnv('SHOP_A', 'environment');
    vi.stubEnv('SHOP_B', 'environment');
    vi.stubEnv('SHOP_C', '');
    const asked: unknown[] = [];
    from({
      resolve: (wanted) => {
        asked.push(wanted);
        return { b: 'configuration' };
      },
    });
    const shop = defineCredential({
      key: 'shop',
      fields: ['a', 'b', 'c', 'd', 'e', 'f'],
      resolve: async () => ({ f: 'definition', a: undefined, c: '' }),
    });
    expect(await values(shop)).toEqual({
      shop: { a: 'environment', b: 'configuration', c: 'file', d: 'local', e: 'of two\nlines', f: 'definition' },
    });
    expect(asked).toEqual([{ key: 'shop', fields: ['a', 'b', 'c', 'd', 'e'] }]);
    expect(process.env.SHOP_D).toBeUndefined();
  });

  test('a file is read again when it has changed, and others may be named', async () => {
    const shop = defineCredential({ key: 'shop', fields: { token: 'TOKEN_OF_SHOP' } });
    from({ files: ['secrets/one.env', 'two.env'] });
    writeFileSync(join(root, 'two.env'), 'TOKEN_OF_SHOP=first\n');
    expect(await values(shop)).toEqual({ shop: { token: 'first' } });
    writeFileSync(join(root, 'two.env'), 'TOKEN_OF_SHOP=the second\n');
    expect(await values(shop)).toEqual({ shop: { token: 'the second' } });
  });

  test('fields may be named like anything that objects have', async () => {
    const fields = ['constructor', 'toString'] as const;
    const odd = defineCredential({ key: 'odd', fields });
    await expect(values(odd)).rejects.toThrow(/2 values of credentials are not/);
    vi.stubEnv('ODD_CONSTRUCTOR', 'first value');
    const half = defineCredential({ key: 'odd', fields, resolve: () => ({ toString: 'second value' }) as never });
    const given = (await values(half)) as { odd: Record<string, string> };
    expect({ ...given.odd }).toEqual({ constructor: 'first value', toString: 'second value' });
  });

  test('a resolver that never answers is given up after a while', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const never = defineCredential({ key: 'never', fields: ['key'], resolve: () => new Promise(() => {}) });
      const asked = values(never).catch((error: unknown) => error);
      await vi.advanceTimersByTimeAsync(30_000);
      expect(await asked).toMatchObject({
        code: 'PAWL_CREDENTIAL_UNRESOLVED',
        message: expect.stringContaining('has not answered within 30 s'),
      });
    } finally {
      vi.useRealTimers();
    }
  });

  test('what a resolver does wrong is said', async () => {
    const broken = defineCredential({
      key: 'shop',
      fields: ['token'],
      resolve: () => {
        throw new Error('the vault is sealed');
      },
    });
    await expect(values(broken)).rejects.toMatchObject({
      code: 'PAWL_CREDENTIAL_UNRESOLVED',
      message: 'The resolver of the credential shop failed: the vault is sealed.',
    });
    const odd = defineCredential({ key: 'shop', fields: ['token'], resolve: () => ({ token: 5 }) as never });
    await expect(values(odd)).rejects.toMatchObject({
      message: 'The resolver of the credential shop gave a number for token.',
    });
  });

  test('a definition without what it needs is refused', () => {
    expect(() => defineCredential({ key: 'x' } as never)).toThrow('The credential x has no `fields`.');
    expect(() => defineCredential({ key: 'x', fields: [] })).toThrow('The credential x has no `fields`.');
    expect(() => defineCredential({ fields: ['a'] } as never)).toThrow('The credential has no `key`.');
    expect(() => defineCredential({ key: 'x', kind: 'oauth' })).toThrow('neither `tokenUrl` nor `issuer`');
  });

  test('are typed', () => {
    const linear = defineCredential({ key: 'linear', fields: ['apiKey'] });
    const slack = defineCredential({ key: 'slack', fields: { token: z.string() } });
    expect(slack.fields).toEqual(['token']);
    const crm = defineCredential({ key: 'crm', kind: 'oauth', tokenUrl: 'https://a.example/token' });
    defineAction({
      slug: 'typed',
      ...anything,
      credentials: [linear, slack, crm],
      run: (_input, credentials) => {
        expectTypeOf(credentials).toEqualTypeOf<{
          readonly linear: { readonly apiKey: string };
          readonly slack: { readonly token: string };
          readonly crm: { readonly accessToken: string };
        }>();
      },
    });
  });
});

describe('what is missing is told at once', () => {
  const files = {
    'src/credentials.ts': `import { defineCredential } from 'pawl';
export const linear = defineCredential({ key: 'linear', fields: ['apiKey', 'team'] });
export const crm = defineCredential({ key: 'crm', kind: 'oauth', tokenUrl: 'https://a.example/token' });
`,
    'src/actions/one.ts': `import { defineAction } from 'pawl';
import { z } from 'zod';
import { linear } from '../credentials';
export const one = defineAction({ slug: 'one', input: z.any(), output: z.any(), credentials: [linear], run: async () => 1 });
`,
    'src/actions/two.ts': `import { defineAction } from 'pawl';
import { z } from 'zod';
import { crm, linear } from '../credentials';
export const two = defineAction({ slug: 'two', input: z.any(), output: z.any(), credentials: [linear, crm], run: async () => 2 });
`,
    'src/actions/free.ts': `import { defineAction } from 'pawl';
import { z } from 'zod';
export const free = defineAction({ slug: 'free', input: z.any(), output: z.any(), run: async () => 'free' });
`,
    'src/workflows/inner.ts': `import { defineWorkflow } from 'pawl';
import { z } from 'zod';
import { two } from '../actions/two';
export const inner = defineWorkflow({ slug: 'inner', input: z.any(), output: z.any(), run: (input) => two.run(input) });
`,
    'src/workflows/outer.ts': `import { defineWorkflow } from 'pawl';
import { z } from 'zod';
import { one } from '../actions/one';
import { inner } from './inner';
async function viaHelper(input: unknown) { return one.run(input); }
export const outer = defineWorkflow({ slug: 'outer', input: z.any(), output: z.any(), run: async (input) => [await viaHelper(input), await inner.run(input)] });
`,
    'src/workflows/plain.ts': `import { free } from '../actions/free';
export async function plain() { 'use workflow'; return free.run(null); }
`,
  };

  test('before a run starts, for all that its workflow can reach', async () => {
    const runtime = await createTestRuntime({ sources: files });
    const error = await runtime.start('outer', [1]).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'PAWL_CREDENTIAL_MISSING',
      message:
        '4 values of credentials are not set: linear.apiKey of action one and action two; linear.team of action one and action two; crm.clientId of action two; crm.clientSecret of action two.',
      remedy: 'Set LINEAR_API_KEY, LINEAR_TEAM, CRM_CLIENT_ID, CRM_CLIENT_SECRET in the environment or in .env.',
    });
    const plain = await runtime.start('plain');
    expect(await plain.returnValue).toBe('free');
    await runtime.close();
  });

  test('and given to a test, they need not be set', async () => {
    const runtime = await createTestRuntime({ sources: files, credentials: { linear: { apiKey: 'a', team: 'b' } } });
    await expect(runtime.start('inner', [1])).rejects.toMatchObject({
      message: '2 values of credentials are not set: crm.clientId of action two; crm.clientSecret of action two.',
    });
    await runtime.close();
  });

  test('and given to a test, neither their `resolve` nor an authorization server is asked for them', async () => {
    const source = `import { defineAction, defineCredential } from 'pawl';
import { z } from 'zod';
const vault = defineCredential({ key: 'vault', fields: ['password'], resolve: async () => { throw new Error('The vault was asked.'); } });
const crm = defineCredential({ key: 'crm', kind: 'oauth', tokenUrl: 'http://127.0.0.1:1/token' });
const act = defineAction({
  slug: 'act', input: z.object({}), output: z.array(z.number()), credentials: [vault, crm],
  run: async (_, credentials) => [credentials.vault.password.length, credentials.crm.accessToken.length],
});
export async function lengths() { 'use workflow'; return act.run({}); }
`;
    const credentials = { vault: { password: 'of-a-test' }, crm: { accessToken: 'token-of-a-test' } };
    const runtime = await createTestRuntime({ sources: { 'src/lengths.ts': source }, credentials });
    const run = await runtime.start('lengths');
    expect(await run.returnValue).toEqual([9, 15]);
    await runtime.close();
  });
});

describe('tokens of an authorization server', () => {
  let server: AuthorizationServer;
  beforeEach(async () => {
    server = await authorizationServer();
    vi.stubEnv('CRM_CLIENT_ID', CLIENT.id);
    vi.stubEnv('CRM_CLIENT_SECRET', CLIENT.secret);
    vi.stubEnv('CRM_REFRESH_TOKEN', 'refresh-token-0');
  });

  /** An action that calls the API. */
  const caller = (credential: Credential<'crm', 'accessToken'>) =>
    defineAction({
      slug: 'call',
      ...anything,
      credentials: [credential],
      run: async (_input, credentials) => {
        const headers = { authorization: `Bearer ${credentials.crm.accessToken}` };
        const response = await fetch(server.apiUrl, { headers });
        if (response.status === 401) throw response;
        return response.status;
      },
    });

  test('client credentials, got once for all who come at the same time', async () => {
    const crm = defineCredential({
      key: 'crm',
      kind: 'oauth',
      tokenUrl: server.tokenUrl,
      scope: ['read', 'write'],
      parameters: { audience: 'crm' },
    });
    let open: () => void = () => {};
    server.gate = new Promise((resolve) => {
      open = resolve;
    });
    const calls = Array.from({ length: 5 }, () => caller(crm).run(null));
    await vi.waitFor(() => expect(server.requests).toHaveLength(1));
    open();
    expect(await Promise.all(calls)).toEqual([200, 200, 200, 200, 200]);
    expect(await caller(crm).run(null)).toBe(200);
    expect(server.requests).toEqual([
      { grant_type: 'client_credentials', scope: 'read write', audience: 'crm', by: 'basic' },
    ]);
  });

  test.each(['body', 'issuer'] as const)('with %s', async (how) => {
    const place = how === 'issuer' ? { issuer: server.url } : { tokenUrl: server.tokenUrl };
    const crm = defineCredential({ key: 'crm', kind: 'oauth', ...place, authentication: 'body' });
    expect(await caller(crm).run(null)).toBe(200);
    expect(server.requests).toMatchObject([{ by: 'body', client_id: CLIENT.id }]);
  });

  test('are got anew before they expire', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const call = caller(defineCredential({ key: 'crm', kind: 'oauth', tokenUrl: server.tokenUrl }));
      await call.run(null);
      vi.setSystemTime(Date.now() + 3_530_000);
      await call.run(null);
      expect(server.requests).toHaveLength(1);
      vi.setSystemTime(Date.now() + 20_000);
      await call.run(null);
      expect(server.requests).toHaveLength(2);
      expect(server.calls.map(({ status }) => status)).toEqual([200, 200, 200]);
    } finally {
      vi.useRealTimers();
    }
  });

  test('are got anew once on 401, once for all', async () => {
    const call = caller(defineCredential({ key: 'crm', kind: 'oauth', tokenUrl: server.tokenUrl }));
    server.expiresIn = null;
    await call.run(null);
    server.revoke();
    expect(await Promise.all([call.run(null), call.run(null), call.run(null)])).toEqual([200, 200, 200]);
    expect(server.requests).toHaveLength(2);
  });

  test.each([
    ['status', { status: 401 }],
    ['statusCode', { statusCode: 401 }],
    ['response.status', { response: { status: 401 } }],
  ])('a 401 is told by %s of what was thrown, and a second one is the end', async (_, fields) => {
    const crm = defineCredential({ key: 'crm', kind: 'oauth', tokenUrl: server.tokenUrl });
    const tokens: string[] = [];
    const call = defineAction({
      slug: 'call',
      ...anything,
      credentials: [crm],
      run: (_input, credentials) => {
        tokens.push(credentials.crm.accessToken);
        throw Object.assign(new Error('who are you?'), fields);
      },
    });
    await expect(call.run(null)).rejects.toMatchObject({
      code: 'PAWL_UNAUTHORIZED',
      message: 'A server answered action call with 401, and again after the credential crm was refreshed.',
      cause: { message: 'who are you?' },
    });
    expect(new Set(tokens).size).toBe(2);
    expect(tokens).toHaveLength(2);
  });

  test('refresh tokens that are rotated: each is used once, and its successor kept', async () => {
    const saved: string[] = [];
    const crm = defineCredential({
      key: 'crm',
      kind: 'oauth',
      grant: 'refresh-token',
      tokenUrl: server.tokenUrl,
      saveRefreshToken: (token) => void saved.push(token),
    });
    const call = caller(crm);
    for (let round = 0; round < 3; round++) {
      server.revoke();
      expect(await Promise.all([call.run(null), call.run(null)])).toEqual([200, 200]);
    }
    expect(server.requests.map(({ refresh_token: used }) => used)).toEqual([
      'refresh-token-0',
      'refresh-token-1',
      'refresh-token-2',
    ]);
    expect(saved).toEqual(['refresh-token-1', 'refresh-token-2', 'refresh-token-3']);
    expect([...server.refreshTokens]).toEqual(['refresh-token-3']);
  });

  test('a refresh token that another process used is asked for again', async () => {
    let kept = 'refresh-token-0';
    const crm = defineCredential({
      key: 'crm',
      kind: 'oauth',
      grant: 'refresh-token',
      tokenUrl: server.tokenUrl,
      resolve: ({ fields }) => (fields.includes('refreshToken') ? { refreshToken: kept } : {}),
      saveRefreshToken: (token) => {
        kept = token;
      },
    });
    const call = caller(crm);
    await call.run(null);
    // Elsewhere, while our request was on its way.
    server.refreshTokens.clear();
    server.refreshTokens.add('from-elsewhere');
    server.revoke();
    let open: () => void = () => {};
    server.gate = new Promise((resolve) => {
      open = resolve;
    });
    const running = call.run(null);
    await vi.waitFor(() => expect(server.requests).toHaveLength(2));
    kept = 'from-elsewhere';
    open();
    expect(await running).toBe(200);
    expect(server.requests.map(({ refresh_token: used }) => used)).toEqual([
      'refresh-token-0',
      'refresh-token-1',
      'from-elsewhere',
    ]);
  });

  test('a successor that could not be saved is saved the next time', async () => {
    const saved: string[] = [];
    let fails = true;
    const crm = defineCredential({
      key: 'crm',
      kind: 'oauth',
      grant: 'refresh-token',
      tokenUrl: server.tokenUrl,
      saveRefreshToken: (token) => {
        if (fails) throw new Error('disk full');
        saved.push(token);
      },
    });
    await expect(caller(crm).run(null)).rejects.toThrow('disk full');
    fails = false;
    server.revoke();
    expect(await caller(crm).run(null)).toBe(200);
    expect(saved).toEqual(['refresh-token-1', 'refresh-token-2']);
  });

  test('what the server refuses is no reason for further attempts, and shows no secret', async () => {
    vi.stubEnv('CRM_CLIENT_SECRET', 'another secret that nobody knows');
    const call = caller(defineCredential({ key: 'crm', kind: 'oauth', tokenUrl: server.tokenUrl }));
    const { run, store } = await setup({
      workflows: `const caller = action('call'); workflow('w', async () => caller.run(null));`,
      registry: { actions: new Map([['call', call]]) },
    });
    await expect(run('w')).rejects.toMatchObject({
      cause: {
        code: 'PAWL_OAUTH_REFUSED',
        message:
          'The authorization server gives no token for the credential crm: invalid_client, no client [credential crm.clientSecret].',
      },
    });
    expect(server.requests).toHaveLength(1);
    const { runs } = await store.listRuns();
    const recorded = JSON.stringify(await store.readEvents(runs[0]?.id ?? ''));
    expect(recorded).not.toContain('nobody knows');
    expect(recorded).not.toContain('oauth4webapi');
  });

  test('a server that is busy, broken or gone is asked again, when it says', async () => {
    const call = caller(defineCredential({ key: 'crm', kind: 'oauth', tokenUrl: server.tokenUrl }));
    const unavailable = (reason: string) => ({
      code: 'PAWL_OAUTH_UNAVAILABLE',
      message: expect.stringContaining(`The authorization server gives no token for the credential crm: ${reason}`),
    });
    server.answers = [
      { status: 503 },
      { status: 429, body: { error: 'slow_down' }, headers: { 'retry-after': '7' } },
      'hang up',
      { status: 200, body: { nothing: 1 } },
    ];
    await expect(call.run(null)).rejects.toMatchObject(unavailable('it answered 503'));
    await expect(call.run(null)).rejects.toMatchObject({ ...unavailable('it answered 429'), retryAfter: 7_000 });
    await expect(call.run(null)).rejects.toMatchObject(unavailable('it cannot be reached, other side closed'));
    await expect(call.run(null)).rejects.toMatchObject(unavailable('its answer is of no use'));
    expect(await call.run(null)).toBe(200);
  });

  test.each<[string, Answer, object]>([
    [
      'a challenge beside the reason',
      {
        status: 401,
        body: { error: 'invalid_client', error_description: 'who is\n that?' },
        headers: { 'www-authenticate': 'Basic realm="crm"' },
      },
      {
        message: 'invalid_client, who is that?',
        remedy: 'See that the client id, its secret and the scope are those that the server knows.',
      },
    ],
    ['a reason with 200', { status: 200, body: { error: 'invalid_scope' } }, { message: 'invalid_scope' }],
    [
      'a page',
      { status: 403, body: '<html>', headers: { 'content-type': 'text/html' } },
      { message: 'it answered 403', remedy: expect.stringMatching(/^See that `tokenUrl` is the address .*\/token$/) },
    ],
    ['another address', { status: 302, headers: { location: '/login' } }, { message: 'it answered 302' }],
  ])('%s is refused for good', async (_, answer, { message, ...more }: { message?: string }) => {
    const call = caller(defineCredential({ key: 'crm', kind: 'oauth', tokenUrl: server.tokenUrl }));
    server.answers = [answer];
    const error = await call.run(null).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'PAWL_OAUTH_REFUSED',
      message: `The authorization server gives no token for the credential crm: ${message}.`,
      place: 'credential crm',
      ...more,
    });
    expect(FatalError.is(error)).toBe(true);
    expect(error).not.toHaveProperty('cause');
  });

  test.each<[string, Answer, string]>([
    ['a page', { status: 200, body: '<html>' }, 'it answered 200, and not with JSON'],
    ['a number', { status: 200, body: '1' }, 'it answered 200, and not with JSON'],
    ['a server that says so', { status: 400, body: { error: 'temporarily_unavailable' } }, 'it answered 400, temp'],
  ])('%s is worth another attempt', async (_, answer, message) => {
    const call = caller(defineCredential({ key: 'crm', kind: 'oauth', tokenUrl: server.tokenUrl }));
    server.answers = [answer];
    const error = await call.run(null).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'PAWL_OAUTH_UNAVAILABLE', message: expect.stringContaining(message) });
    expect(FatalError.is(error)).toBe(false);
    expect(error).not.toHaveProperty('cause');
  });

  test('what is no address, or has no server, is said', async () => {
    const of = (where: { tokenUrl: string } | { issuer: string }) =>
      caller(defineCredential({ key: 'crm', kind: 'oauth', ...where })).run(null);
    await expect(of({ tokenUrl: 'undefined/token' })).rejects.toMatchObject({
      code: 'PAWL_OAUTH_REFUSED',
      message: expect.stringContaining('`undefined/token` is no address'),
    });
    await expect(of({ issuer: `${server.url}/nobody` })).rejects.toMatchObject({
      code: 'PAWL_OAUTH_REFUSED',
      message: expect.stringContaining('it answered 404 when it was asked for its metadata'),
      remedy: `See that \`issuer\` is the address of the server: ${server.url}/nobody`,
    });
    const gone = await authorizationServer();
    gone.close();
    await expect(of({ tokenUrl: gone.tokenUrl })).rejects.toMatchObject({
      code: 'PAWL_OAUTH_UNAVAILABLE',
      message: expect.stringMatching(/it cannot be reached, connect ECONNREFUSED /),
    });
  });

  test('a server that takes no token at all ends the step, after one that was refreshed', async () => {
    const crm = defineCredential({ key: 'crm', kind: 'oauth', tokenUrl: server.tokenUrl });
    let calls = 0;
    const call = defineAction({
      slug: 'call',
      ...anything,
      credentials: [crm],
      run: () => {
        calls++;
        throw Object.assign(new Error('not for you'), { status: 401 });
      },
    });
    const { run } = await setup({
      workflows: `const caller = action('call'); workflow('w', async () => caller.run(null));`,
      registry: { actions: new Map([['call', call]]) },
    });
    await expect(run('w')).rejects.toMatchObject({ cause: { code: 'PAWL_UNAUTHORIZED' } });
    expect(calls).toBe(2);
    expect(server.requests).toHaveLength(2);
  });

  test('secrets are not sent unencrypted to other machines', async () => {
    const call = caller(defineCredential({ key: 'crm', kind: 'oauth', tokenUrl: 'http://auth.example.com/token' }));
    await expect(call.run(null)).rejects.toMatchObject({
      code: 'PAWL_OAUTH_REFUSED',
      message: 'The credential crm would send its secrets over http://auth.example.com, unencrypted.',
    });
  });
});
