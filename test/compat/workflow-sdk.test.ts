/** A program for the Workflow SDK: an agent with tools on both levels, hooks, webhooks, streams, serialized classes, routes. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { UIMessageChunk } from 'ai';
import { expect, onTestFinished, test } from 'vitest';
import { resumeHook, resumeWebhook } from '../../src/runtime/client.ts';
import { asked, watch } from '../agents/support.ts';
import { runServer } from '../support/server.ts';
import { compatProject, compatRuntime, programTexts } from './support.ts';

/** What a server of the app does, one request after the other. */
const SERVER = `import { createWorker, openStore } from 'pawl/runtime';
import { getStatus, hurry, postApproval, readOn, result, startReminder, startWatch, tellPrice } from './src/app/routes';

const store = await openStore('sqlite:.pawl/pawl.db');
const worker = await createWorker({ manifest: '.pawl', store });
const until = async (ready: () => Promise<unknown>) => {
  for (;;) {
    const found = await ready();
    if (found) return found;
    await new Promise<void>((resolve) => { const stop = store.subscribe(() => { stop(); resolve(); }); setTimeout(resolve, 20); });
  }
};
const id = await startWatch('PX 12', process.env.BOARD ?? '');
const metadata = await until(() => tellPrice('PX 12', { cents: 5000 }));
await tellPrice('PX 12', { cents: 7000 });
await tellPrice('PX 12', { stop: true });
const stopped = await until(() => hurry(id));
const best = String(await result(id));
const reminder = await startReminder();
await until(() => hurry(reminder));
const refused = await postApproval(new Request('https://app.example', { method: 'POST', body: '{ "toolCallId": "x", "approved": true }' })).catch(() => 'No hook');
process.stdout.write(JSON.stringify({
  unknown: await getStatus('nobody'), metadata, stream: await readOn(id, 0), last: await readOn(id, -1), stopped, best,
  status: await getStatus(id), reminder: await result(reminder), refused,
}));
await worker.close();
await store.close();
`;

const sources = programTexts('compat-flights');
const call = (tool: string, input: unknown): string => JSON.stringify({ tool, id: tool, input });
const user = (content: string) => ({ role: 'user' as const, content });

test('tools stream from steps and read the conversation', async () => {
  const answers = `[[${call('searchFlights', { to: 'Oslo' })}, ${call('recall', {})}], 'PX 70 is cheaper.']`;
  const runtime = await compatRuntime(sources, 'workflow', { flights: answers });
  expect(runtime.diagnostics).toEqual([]);
  const run = await runtime.start('chat', [[user('To Oslo, please')]]);
  const { messages, calls, run: id } = (await runtime.finish(run)) as Record<string, never>;
  expect(id).toBe(run.runId);
  expect(calls).toMatchObject([{ toolName: 'searchFlights' }, { toolName: 'recall' }]);
  expect(messages).toMatchObject([
    user('To Oslo, please'),
    { role: 'assistant' },
    {
      role: 'tool',
      content: [
        { toolName: 'searchFlights', output: { type: 'json', value: [{ number: 'PX 12' }, { number: 'PX 70' }] } },
        { toolName: 'recall', output: { type: 'text', value: 'You said one thing: "To Oslo, please"' } },
      ],
    },
    { role: 'assistant', content: [{ type: 'text', text: 'PX 70 is cheaper.' }] },
  ]);
  const { chunks } = await watch(run);
  const found = chunks.filter(({ type }) => type === 'data-found-flight') as Extract<UIMessageChunk, { id: string }>[];
  expect(found.map((chunk) => chunk.id)).toEqual(['searchFlights-PX 12', 'searchFlights-PX 70']);
  expect(asked()[0]).toMatchObject({ prompt: [{ role: 'system', content: 'You book flights.' }, { role: 'user' }] });
});

test('tools on the level of the workflow wait for a person and sleep', async () => {
  const answers = `[[${call('book', { flight: 'PX 70', seats: 2 })}], [${call('pause', { durationMs: 60_000 })}], 'Done.']`;
  const runtime = await compatRuntime(sources, 'workflow', { flights: answers });
  const run = await runtime.start('chat', [[user('Book it')]]);
  await runtime.waitForHook(run);
  await resumeHook('book', { approved: true });
  const { messages } = (await runtime.finish(run)) as { messages: { role: string }[] };
  expect(messages.filter(({ role }) => role === 'tool')).toMatchObject([
    { content: [{ output: { value: { flight: 'PX 70', price: '179.00 EUR', key: 'string' } } }] },
    { content: [{ output: { value: { message: 'Slept for 60000 ms' } } }] },
  ]);
});

test('a webhook in a tool', async () => {
  const answers = `[[${call('askTraveller', {})}], 'Welcome.']`;
  const runtime = await compatRuntime(sources, 'workflow', { flights: answers });
  const run = await runtime.start('chat', [[user('Who am I?')]]);
  const urls = run.getReadable<string>({ namespace: 'urls' }).getReader();
  const { value: url = '' } = await urls.read();
  const token = url.slice(url.lastIndexOf('/') + 1);
  const response = await resumeWebhook(token, new Request(url, { method: 'POST', body: '{ "name": "Ada" }' }));
  expect(response.status).toBe(202);
  const { messages } = (await runtime.finish(run)) as { messages: unknown[] };
  expect(messages).toMatchObject([{}, {}, { content: [{ output: { value: 'The traveller is Ada' } }] }, {}]);
});

test('an object as answer', async () => {
  const answers = `[(options: any) => JSON.stringify({ mood: options.responseFormat.type === 'json' ? 'good' : 'bad' })]`;
  const runtime = await compatRuntime(sources, 'workflow', { mood: answers });
  expect(await runtime.finish(await runtime.start('mood', ['What a day']))).toBe('good');
});

async function priceBoard(): Promise<string> {
  const server = createServer((_request, response) => response.end('{ "opening": 9900 }'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('hooks that give more than once, streams that are passed on, classes that cross, and what applications do', async () => {
  const root = compatProject(sources, 'workflow');
  const printed = await runServer(root, SERVER, { BOARD: await priceBoard() });
  expect(JSON.parse(printed)).toEqual({
    unknown: null,
    metadata: { flight: 'PX 12' },
    stream: { chunks: ['PX 12: 50.00 EUR', 'PX 12: 50.00 EUR'], tail: 1 },
    last: { chunks: ['PX 12: 50.00 EUR'], tail: 1 },
    stopped: 1,
    best: '50.00 EUR',
    status: {
      status: 'completed',
      workflowName: 'src/workflows/watch.ts#watchPrices',
      createdAt: expect.stringMatching(/Z$/),
      startedAt: expect.stringMatching(/Z$/),
      completedAt: expect.stringMatching(/Z$/),
    },
    reminder: 'Time to fly',
    refused: 'No hook',
  });
}, 60_000);
