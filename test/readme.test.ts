/** The README's examples are compiled and run, and its commands exist. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { simulateReadableStream } from 'ai';
import { MockLanguageModelV3 } from 'ai/test';
import { createTestRuntime } from 'pawl/testing';
import { afterEach, expect, test, vi } from 'vitest';
import { COMMANDS } from '../src/cli/commands/index.ts';
import { ROOT } from './support/dist.ts';

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** The code block below a heading. */
function example(heading: string): string {
  const [, section = ''] = readme.split(`\n## ${heading}\n`);
  const [, code] = /```ts\n([^]*?)```/.exec(section) ?? [];
  if (!code) throw new Error(`The README has no example below "${heading}".`);
  return code;
}

afterEach(() => vi.unstubAllGlobals());

function stubShop(): string[] {
  const calls: string[] = [];
  vi.stubGlobal('fetch', async (url: string, init: { body?: string }) => {
    calls.push(init.body ?? url);
    return new Response('{ "reservation": "R-1" }');
  });
  return calls;
}

test('the example in directives', async () => {
  expect(example('In directives').split('\n').length).toBeLessThan(32);
  const calls = stubShop();
  const runtime = await createTestRuntime({ sources: { 'src/fulfil.ts': example('In directives') } });
  expect(runtime.diagnostics).toEqual([]);
  const run = await runtime.start('fulfil', [{ email: 'ada@example.com', items: [{ sku: 'MUG-01', quantity: 2 }] }]);
  await runtime.waitForSleep(run);
  await runtime.advance('1h');
  expect(await run.returnValue).toEqual(['R-1']);
  expect(calls).toEqual([
    'https://stock.example/MUG-01?take=2',
    JSON.stringify({ to: 'ada@example.com', text: '1 articles are on their way' }),
  ]);
  await runtime.close();
});

test('the example of hooks', async () => {
  const runtime = await createTestRuntime({ sources: { 'src/approval.ts': example('Hooks') } });
  expect(runtime.diagnostics).toEqual([]);
  const run = await runtime.start('release', ['2.0']);
  const hook = await runtime.waitForHook(run, 'release:2.0');
  await expect(hook.resume({ approved: true, by: '' })).rejects.toMatchObject({
    code: 'PAWL_PAYLOAD_INVALID',
    details: { issues: [{ path: 'payload.by' }] },
  });
  await hook.resume({ approved: true, by: 'Ada' });
  expect(await run.returnValue).toBe('2.0, by Ada');
  await runtime.close();
});

test('the example of streams', async () => {
  const runtime = await createTestRuntime({ sources: { 'src/report.ts': example('Streams') } });
  expect(runtime.diagnostics).toEqual([]);
  vi.stubGlobal('fetch', async () => new Response('a\nb\n'));
  const run = await runtime.start<{ lines: number; file: ReadableStream }>('report', ['https://a.example']);
  const progress: string[] = [];
  for await (const text of run.getReadable<string>({ namespace: 'progress' })) progress.push(text);
  expect(progress).toEqual(['downloading', 'counting']);
  const { lines, file } = await run.returnValue;
  expect(lines).toBe(2);
  expect(await new Response(file).text()).toBe('a\nb\n');
  await runtime.close();
});

test('the example in definitions', async () => {
  const files = example('In definitions')
    .split(/^\/\/ (src\/\S+\.ts)\n/m)
    .slice(1);
  const sources = Object.fromEntries(
    files.flatMap((name, index) => (index % 2 === 0 ? [[name, files[index + 1] ?? '']] : [])),
  );
  expect(Object.keys(sources)).toEqual(['src/actions/reserve-stock.ts', 'src/workflows/fulfil-order.ts']);
  expect(example('In definitions').split('\n').length).toBeLessThan(36);
  stubShop();
  const runtime = await createTestRuntime({ sources });
  expect(runtime.diagnostics).toEqual([]);
  const run = await runtime.start('fulfil-order', [{ items: [{ sku: 'MUG-01', quantity: 2 }] }]);
  await runtime.waitForSleep(run);
  await runtime.advance('1h');
  expect(await run.returnValue).toEqual(['R-1']);
  await runtime.close();
});

test('the example of agents', async () => {
  const answers = [
    [
      { type: 'tool-call', toolCallId: 'c1', toolName: 'search', input: '{"text":"rain"}' },
      { type: 'tool-call', toolCallId: 'c2', toolName: 'remind', input: '{"hours":2}' },
    ],
    [
      { type: 'text-start', id: '0' },
      { type: 'text-delta', id: '0', delta: 'It rains.' },
      { type: 'text-end', id: '0' },
    ],
  ];
  const USAGE = { inputTokens: { total: 1 }, outputTokens: { total: 1 } };
  const model = new MockLanguageModelV3({
    doStream: async () => {
      const parts = answers.shift() ?? [];
      const finish = {
        type: 'finish',
        finishReason: { unified: parts.length === 2 ? 'tool-calls' : 'stop' },
        usage: USAGE,
      };
      const chunks = [{ type: 'stream-start', warnings: [] }, ...parts, finish] as never[];
      return { stream: simulateReadableStream({ chunks }) };
    },
  });
  vi.stubGlobal('modelOfReadme', model);
  vi.stubGlobal('fetch', async (url: string) => new Response(`found ${url}`));
  const runtime = await createTestRuntime({
    sources: {
      'src/chat.ts': example('Agents'),
      'pawl.config.ts': 'export default { providers: { openai: () => (globalThis as any).modelOfReadme } };',
    },
  });
  expect(runtime.diagnostics).toEqual([]);
  const run = await runtime.start<{ content: unknown }[]>('chat', [[{ role: 'user', content: 'Does it rain?' }]]);
  const messages = await runtime.finish(run);
  expect(messages.at(-2)?.content).toMatchObject([
    { output: { value: 'found https://letters.example/?q=rain' } },
    { output: { value: 'It is time.' } },
  ]);
  expect(messages.at(-1)?.content).toMatchObject([{ text: 'It rains.' }]);
  await runtime.close();
});

test('the example of credentials', async () => {
  const sources = {
    'src/actions/create-issue.ts': example('Credentials'),
    'src/report.ts': `import { createIssue } from './actions/create-issue';
export async function report(title: string) { 'use workflow'; return createIssue.run({ title, customer: 'Ada' }); }
`,
  };
  const calls: string[] = [];
  let tokens = 0;
  vi.stubGlobal('fetch', async (url: string | URL, { headers }: RequestInit) => {
    const authorization = new Headers(headers).get('authorization');
    calls.push(`${new URL(url).host} ${authorization}`);
    if (String(url).endsWith('/token'))
      return Response.json({ access_token: `access-${++tokens}`, token_type: 'bearer' });
    if (String(url).endsWith('/issues')) return Response.json({ id: 'I-1' });
    return authorization === 'Bearer access-1' ? new Response(null, { status: 401 }) : Response.json({ id: 'C-1' });
  });
  const credentials = { linear: { apiKey: 'key-of-linear' }, crm: { clientId: 'id', clientSecret: 'secret' } };
  const runtime = await createTestRuntime({ sources, credentials });
  expect(runtime.diagnostics).toEqual([]);
  expect(await (await runtime.start('report', ['It rains'])).returnValue).toEqual({ id: 'I-1' });
  expect(calls).toEqual([
    `auth.example.com Basic ${btoa('id:secret')}`,
    'crm.example.com Bearer access-1',
    `auth.example.com Basic ${btoa('id:secret')}`,
    'crm.example.com Bearer access-2',
    'linear.example.com key-of-linear',
  ]);
  await runtime.close();
});

test('the example of webhooks', async () => {
  const calls = stubShop();
  const runtime = await createTestRuntime({ sources: { 'src/confirm.ts': example('Webhooks') } });
  expect(runtime.diagnostics).toEqual([]);
  const run = await runtime.start('confirm', ['ada@example.com']);
  const { url } = await runtime.waitForHook(run);
  await runtime.waitForSleep(run);
  expect(calls).toEqual([JSON.stringify({ to: 'ada@example.com', text: `Is it you? ${url}` })]);
  const response = await runtime.fetch(new Request(url as string));
  expect([response.status, await response.text()]).toEqual([200, 'Thank you.']);
  expect(await run.returnValue).toBe('confirmed');
  const late = await runtime.start('confirm', ['bo@example.com']);
  expect(await runtime.finish(late)).toBe('no answer');
  await runtime.close();
});

test('every command is in the table', () => {
  for (const { name, positionals, description } of COMMANDS) {
    expect(readme).toContain(`| \`${`pawl ${name} ${positionals}`.trim()}\` | ${description} |`);
  }
});
