/** A package that ships actions, as it is installed: built into a program, listed, run by a worker against a server. */
import { cpSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { build } from '../../src/bundler/index.ts';
import { createTestRuntime } from '../../src/testing/index.ts';
import { project } from '../bundler/project.ts';
import { runCli, spawnCli } from '../support/cli.ts';
import { ROOT } from '../support/dist.ts';
import { MODEL } from './support.ts';
import { linkSelf } from './support/link.ts';

const FILES = {
  'package.json': '{ "name": "news", "type": "module" }',
  'src/actions/headline.ts': `import { defineAction } from 'pawl';
import { z } from 'zod';

export default defineAction({
  slug: 'headline',
  description: 'Makes a headline.',
  input: z.object({ topic: z.string(), loud: z.boolean().optional() }),
  output: z.union([z.string(), z.null()]),
  maxRetries: 1,
  run: async ({ topic, loud }) => (loud ? topic.toUpperCase() : topic),
});
`,
  'src/workflows/announce.ts': `import { defineWorkflow } from 'pawl';
import { sendMessage } from 'pawl-messenger/actions';
import { z } from 'zod';
import headline from '../actions/headline';

export const announce = defineWorkflow({
  slug: 'announce',
  name: 'Announce',
  input: z.object({ topic: z.string(), channels: z.array(z.string()) }),
  output: z.array(z.object({ id: z.string() })),
  run: async ({ topic, channels }) => {
    const text = (await headline.run({ topic, loud: true })) ?? '';
    return Promise.all(channels.map((channel) => sendMessage.run({ channel, text })));
  },
});
`,
  'src/agents/clerk.ts': `import { defineAgent } from 'pawl';
import { sendMessage } from 'pawl-messenger/actions';

export const clerk = defineAgent({ slug: 'clerk', systemPrompt: 'Be brief.', model: 'vendor/model', tools: [sendMessage] });
`,
};

/** A project that has the package installed. */
function newsroom(files: Record<string, string> = {}, packages: string[] = ['zod']): string {
  const root = project({ ...FILES, ...files }, packages);
  linkSelf(root);
  cpSync(join(ROOT, 'fixtures/packages/pawl-messenger'), join(root, 'node_modules/pawl-messenger'), {
    recursive: true,
  });
  return root;
}

interface Posted {
  headers: Record<string, unknown>;
  body: unknown;
}

async function messenger(): Promise<{ url: string; posted: Posted[] }> {
  const posted: Posted[] = [];
  const server = createServer(async (request, response) => {
    const body = (await json(request)) as { channel: string };
    posted.push({ headers: request.headers, body });
    response.writeHead(body.channel === 'nowhere' ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ id: `m-${posted.length}`, extra: true }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, posted };
}

describe('an integration', () => {
  test('is a step of a workflow without being defined again', async () => {
    const root = newsroom();
    const { url, posted } = await messenger();
    expect(await spawnCli(['build'], { cwd: root })).toMatchObject({ code: 0 });
    const input = ['--input', '{"topic":"rain","channels":[" general ","weather"]}'];
    const missing = await spawnCli(['run', 'announce', ...input], { cwd: root });
    expect(missing).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        'PAWL_CREDENTIAL_MISSING: 2 values of credentials are not set: messenger.token of action send-message; messenger.url of action send-message.',
      ),
    });
    writeFileSync(join(root, '.env'), `MESSENGER_TOKEN=a-token-of-the-messenger\nMESSENGER_URL=${url}\n`);
    const { code, stdout } = await spawnCli(['run', 'announce', '--id', 'one', ...input, '--json'], { cwd: root });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'completed',
      result: [{ id: expect.any(String) }, { id: expect.any(String) }],
    });
    expect(JSON.parse(stdout).result[0]).not.toHaveProperty('extra');
    expect(posted.map(({ body }) => body)).toEqual(
      expect.arrayContaining([
        { channel: 'general', text: 'RAIN', silent: false },
        { channel: 'weather', text: 'RAIN', silent: false },
      ]),
    );
    expect(posted[0]?.headers).toMatchObject({
      authorization: 'Bearer a-token-of-the-messenger',
      'user-agent': 'pawl-messenger/2.1.0',
      'idempotency-key': expect.stringMatching(/^one-\d+$/),
    });
    const fails = await spawnCli(['run', 'announce', '--input', '{"topic":"x","channels":["nowhere"]}'], { cwd: root });
    expect(fails).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no channel nowhere.') });
  }, 120_000);

  test('is in the manifest, with its schemas and what it needs, wherever it is reached from', async () => {
    const { output } = await build({ root: newsroom(), write: false });
    const { steps, workflows } = output?.manifest ?? {};
    expect(workflows?.announce?.steps).toEqual(['headline', 'send-message']);
    expect(steps?.['send-message']).toMatchObject({
      style: 'action',
      file: 'node_modules/pawl-messenger/dist/send-message.js',
      description: 'Posts a message to a channel.',
      options: { timeout: '10s' },
      input: { required: ['channel', 'text'] },
      output: { required: ['id'] },
      credentials: [
        {
          key: 'messenger',
          kind: 'fields',
          fields: ['token', 'url'],
          variables: { token: 'MESSENGER_TOKEN', url: 'MESSENGER_URL' },
        },
      ],
    });
  });

  test('one of its slugs that is taken is refused, with both places', async () => {
    const root = newsroom({
      'src/actions/send.ts': `import { defineAction } from 'pawl';
import { z } from 'zod';
export const send = defineAction({ slug: 'Send-Message', input: z.any(), output: z.any(), run: async () => null });
`,
    });
    const { output, diagnostics } = await build({ root, write: false });
    expect(output).toBeNull();
    expect(diagnostics).toMatchObject([
      {
        code: 'PAWL6001',
        file: 'src/actions/send.ts',
        message: expect.stringContaining('node_modules/pawl-messenger/dist/send-message.js:10:9'),
      },
    ]);
  });
});

test('an integration is a tool of an agent without being defined again, as a step of the run', async () => {
  const { url, posted } = await messenger();
  const root = newsroom(
    {
      'src/model.ts': MODEL,
      'src/agents/clerk.ts': `import { defineAgent } from 'pawl';
import { sendMessage } from 'pawl-messenger/actions';
import { scripted } from '../model';

async function model() {
  'use step';
  return scripted([{ tool: 'send-message', input: { channel: 'general', text: 'Rain.' } }, 'Told.']);
}

export const clerk = defineAgent({ slug: 'clerk', systemPrompt: 'Be brief.', model, tools: [sendMessage] });
`,
      'src/workflows/ask.ts': `import { clerk } from '../agents/clerk';
export async function ask(message: string) {
  'use workflow';
  return (await clerk.prompt({ message })).text;
}
`,
    },
    ['zod', 'ai'],
  );
  const runtime = await createTestRuntime({
    root,
    credentials: { messenger: { token: 'a-token-of-the-messenger', url } },
  });
  onTestFinished(() => runtime.close());
  expect(runtime.manifest.workflows['src/workflows/ask.ts#ask']?.steps).toContain('send-message');
  const run = await runtime.start<string>('ask', ['Tell them.']);
  expect(await run.returnValue).toBe('Told.');
  expect(posted).toMatchObject([
    {
      headers: {
        authorization: 'Bearer a-token-of-the-messenger',
        'idempotency-key': expect.stringContaining(run.runId),
      },
      body: { channel: 'general', text: 'Rain.', silent: false },
    },
  ]);
});

test('an action that calls one of an integration is refused, whichever copy of pawl that has', async () => {
  const { url, posted } = await messenger();
  const root = newsroom({
    'src/actions/outer.ts': `import { defineAction } from 'pawl';
import * as messenger from 'pawl-messenger/actions';
import { z } from 'zod';

export const outer = defineAction({
  slug: 'outer',
  input: z.string(),
  output: z.any(),
  run: async (name) => (messenger as Record<string, typeof messenger.sendMessage>)[name]!.run({ channel: 'general', text: 'x' }),
});
`,
    'src/workflows/go.ts': `import { outer } from '../actions/outer';
export async function go() { 'use workflow'; return outer.run('sendMessage'); }
`,
    'pawl.config.json': '{ "rules": { "action-imports-integration": "off" } }',
  });
  const runtime = await createTestRuntime({
    root,
    credentials: { messenger: { token: 'a-token-of-the-messenger', url } },
  });
  onTestFinished(() => runtime.close());
  await expect((await runtime.start('go')).returnValue).rejects.toMatchObject({
    cause: { code: 'PAWL5001', message: expect.stringContaining('Action `outer` reaches the action `send-message`: ') },
  });
  expect(posted).toEqual([]);
});

test('a worker begins only when the credentials of all workflows are set', async () => {
  const root = newsroom();
  expect(await spawnCli(['build'], { cwd: root })).toMatchObject({ code: 0 });
  expect(await spawnCli(['worker', '--json'], { cwd: root })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('"variable":"MESSENGER_TOKEN","owners":["action send-message"]'),
  });
});

describe('pawl list', () => {
  test('says what was discovered, from where, with schemas', async () => {
    const { code, stdout } = await runCli(['list'], { cwd: newsroom() });
    expect(code).toBe(0);
    expect(stdout).toMatchInlineSnapshot(`
      "actions
        headline      src/actions/headline.ts:4:16
          Makes a headline.
          input  { topic: string, loud?: boolean }
          output string | null
          step   maxRetries 1
        send-message  pawl-messenger@2.1.0  node_modules/pawl-messenger/dist/send-message.js:9:28
          Posts a message to a channel.
          input  { channel: string, text: string, silent?: boolean = false }
          output { id: string }
          needs  messenger: MESSENGER_TOKEN, MESSENGER_URL
          step   timeout 10s

      workflows
        announce      src/workflows/announce.ts:6:25
          input  { topic: string, channels: string[] }
          output { id: string }[]

      agents
        clerk         src/agents/clerk.ts:4:22
      "
    `);
  });

  test('as JSON, of chosen kinds', async () => {
    const root = newsroom();
    const { stdout } = await runCli(['list', 'actions', 'agents', '--json'], { cwd: root });
    expect(JSON.parse(stdout)).toMatchObject([
      {
        kind: 'action',
        id: 'headline',
        file: 'src/actions/headline.ts',
        line: 4,
        column: 16,
        credentials: [],
        input: { type: 'object' },
      },
      { kind: 'action', id: 'send-message', package: 'pawl-messenger@2.1.0', credentials: [{ key: 'messenger' }] },
      { kind: 'agent', id: 'clerk', file: 'src/agents/clerk.ts' },
    ]);
    expect(await runCli(['list', 'tools'], { cwd: root })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('There is no kind `tools`.'),
    });
  });

  test('says whose `resolve` is asked for a credential before the environment', async () => {
    const action = (slug: string, credential: string) => `import { defineAction, defineCredential } from 'pawl';
import { z } from 'zod';
export default defineAction({ slug: '${slug}', input: z.any(), output: z.any(), run: async () => null, credentials: [${credential}] });
`;
    const files = {
      'src/actions/headline.ts': action('headline', "defineCredential({ key: 'crm', fields: ['token'] })"),
      'src/actions/vault.ts': action(
        'vault',
        "defineCredential({ key: 'vault', fields: ['key'], resolve: async () => ({}) })",
      ),
      'src/workflows/announce.ts': 'export const none = 1;',
      'src/agents/clerk.ts': 'export const none = 1;',
    };
    const listed = async (more: Record<string, string>) => {
      const root = newsroom({ ...files, ...more });
      const { stdout } = await runCli(['list', 'actions'], { cwd: root });
      const { stdout: text } = await runCli(['list', 'actions', '--json'], { cwd: root });
      const items = JSON.parse(text) as { credentials: { resolvers: string[] }[] }[];
      return [stdout.match(/(?<=needs {2}).*/g), items.map(({ credentials }) => credentials[0]?.resolvers)];
    };
    expect(await listed({})).toEqual([
      ['crm: CRM_TOKEN', 'vault: its `resolve`, else VAULT_KEY'],
      [[], ['definition']],
    ]);
    const config = 'export default { credentials: { resolve: () => null } };';
    expect(await listed({ 'pawl.config.ts': config })).toEqual([
      ['crm: `resolve` of pawl.config, else CRM_TOKEN', 'vault: its `resolve`, that of pawl.config, else VAULT_KEY'],
      [['configuration'], ['definition', 'configuration']],
    ]);
  });

  test('shows what keeps it from looking', async () => {
    const root = newsroom({
      'src/actions/headline.ts':
        "import { defineAction } from 'pawl';\nexport default defineAction({ slug: 'headline' });\n",
    });
    const { code, stdout } = await runCli(['list'], { cwd: root });
    expect(code).toBe(1);
    expect(stdout).toContain(
      "src/actions/headline.ts(2,16): error PAWL6006: defineAction() lacks 'input', 'output', 'run'.",
    );
  });
});
