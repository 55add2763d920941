/** The chat app as a user runs it: a server and a worker in a process that gets killed, a model behind real HTTP. */
import { join } from 'node:path';
import type { UIMessage, UIMessageChunk } from 'ai';
import { openStore } from 'pawl/runtime';
import { expect, test } from 'vitest';
import { withoutAbandoned } from '../../src/agents/agent-entry.ts';
import { chatApp } from './chat-app.ts';
import { type ModelServer, type Reply, startModelServer } from './model-server.ts';
import { messageOf } from './support.ts';

const app = chatApp();
let model: ModelServer;

async function say(url: string, text: string, after?: string): Promise<string> {
  const response = await fetch(`${url}/api/chat`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text, after }),
  });
  expect(response.status).toBe(200);
  return ((await response.json()) as { id: string }).id;
}

/** Reads an answer behind the chunk `last`, to its end or until `enough`. */
async function read(
  url: string,
  id: string,
  last = -1,
  enough: (chunk: UIMessageChunk) => boolean = () => false,
): Promise<{ chunks: UIMessageChunk[]; last: number; end: string | null }> {
  const response = await fetch(`${url}/api/chat/${id}`, { headers: last < 0 ? {} : { 'last-event-id': String(last) } });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  const chunks: UIMessageChunk[] = [];
  let text = '';
  for await (const part of (response.body as ReadableStream<BufferSource>).pipeThrough(new TextDecoderStream())) {
    text += part;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const fields = Object.fromEntries(
        text
          .slice(0, end)
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
      );
      text = text.slice(end + 2);
      if (fields.event === 'end') return { chunks, last, end: fields.data ?? '' };
      expect(Number(fields.id)).toBe(last + 1);
      last++;
      const chunk = JSON.parse(fields.data ?? '') as UIMessageChunk;
      chunks.push(chunk);
      if (enough(chunk)) return { chunks, last, end: null };
    }
  }
  return { chunks, last, end: null };
}

const turnOf = (request: ModelServer['requests'][number]): number =>
  request.messages.filter(({ role }) => role === 'tool').length;

const texts = (message: UIMessage): string[] =>
  message.parts.flatMap((part) => (part.type === 'text' && part.text !== '' ? [part.text] : []));

test('no finished model call is paid again after a kill, and the answer goes on where it was', async () => {
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let cut = 0;
  let reply = (request: ModelServer['requests'][number]): Reply => {
    if (turnOf(request) === 0) return ['Let me look. ', { tool: 'weather', id: 'w1', input: { city: 'Rome' } }];
    // The first time this answer hangs in the middle.
    return cut++ === 0 ? ['In Rome the sky ', { until: held }, 'was never to be seen.'] : ['In Rome the sky is blue.'];
  };
  model = await startModelServer((request) => reply(request));
  app.use(model);

  const first = await app.serve('kill.db');
  expect(await (await fetch(first.url)).text()).toContain('<title>pawl chat</title>');
  const id = await say(first.url, 'How is the weather in Rome?');
  const isHalf = (chunk: UIMessageChunk): boolean => chunk.type === 'text-delta' && chunk.delta.includes('sky');
  const before = await read(first.url, id, -1, isHalf);
  await app.kill(first.child);
  release();

  const second = await app.serve('kill.db');
  const after = await read(second.url, id, before.last);
  expect(after.end).toBe('completed');
  // Two calls of the model were needed; the second was cut off by the kill, the first was not made again. Nor was the tool.
  expect(model.requests.map(turnOf)).toEqual([0, 1, 1]);
  expect(model.others).toEqual(['/weather?city=Rome']);

  const chunks = [...before.chunks, ...after.chunks];
  expect((await read(second.url, id)).chunks).toEqual(chunks);
  const message = (await messageOf(chunks)) as UIMessage;
  expect(texts(message)).toEqual(['Let me look. ', 'In Rome the sky ', 'In Rome the sky is blue.']);
  const clean = withoutAbandoned(message);
  expect(texts(clean)).toEqual(['Let me look. ', 'In Rome the sky is blue.']);
  expect(clean.parts.filter(({ type }) => !/step-start|text/.test(type))).toMatchObject([
    { type: 'tool-weather', state: 'output-available', output: { sky: 'blue' } },
    { type: 'data-progress', id: 'w1', data: { text: 'an answer has come' } },
  ]);
  const order = chunks.filter((chunk) => /w1/.test(JSON.stringify(chunk))).map(({ type }) => type);
  expect(order.filter((type) => !/tool-input-(?:start|delta)/.test(type))).toEqual([
    'tool-input-available',
    'data-progress',
    'data-progress',
    'tool-output-available',
  ]);

  // The next turn knows the conversation, tools and all.
  reply = () => ['You are welcome.'];
  const next = await say(second.url, 'Thank you!', id);
  expect(texts((await messageOf((await read(second.url, next)).chunks)) as UIMessage)).toEqual(['You are welcome.']);
  expect(model.requests.at(-1)?.messages.map(({ role }) => role)).toEqual([
    'system',
    'user',
    'assistant',
    'tool',
    'assistant',
    'user',
  ]);
  await app.kill(second.child);

  const store = await openStore(`sqlite:${join(app.base, 'kill.db')}`);
  const events = await store.readEvents(id);
  expect(events.filter(({ type }) => type === 'step_completed')).toHaveLength(5);
  await store.close();
});

test('a connection that drops in the middle of an answer, and an answer without an end, are asked for again', async () => {
  model = await startModelServer((_request, count) =>
    count === 1 ? ['It is ', { drop: true }] : count === 2 ? ['It is half', { end: true }] : ['It is whole.'],
  );
  app.use(model);
  const { url } = await app.serve('drop.db');
  const id = await say(url, 'Say it.');
  const { chunks, end } = await read(url, id);
  expect(end).toBe('completed');
  expect(model.requests).toHaveLength(3);
  const message = (await messageOf(chunks)) as UIMessage;
  expect(texts(message).at(-1)).toBe('It is whole.');
  expect(texts(withoutAbandoned(message))).toEqual(['It is whole.']);
  const store = await openStore(`sqlite:${join(app.base, 'drop.db')}`);
  const failed = (await store.readEvents(id)).filter(({ type }) => type === 'step_attempt_failed');
  expect(failed.map((event) => JSON.stringify(event))).toMatchObject([
    expect.stringContaining('PAWL_MODEL_FAILED'),
    expect.stringContaining('ended without a finish reason'),
  ]);
  await store.close();
});

test('a provider that limits requests is left alone for as long as it says; a person agrees by a hook', async () => {
  model = await startModelServer((request, count) => {
    if (count === 1) return { status: 429, headers: { 'retry-after': '1' } };
    return turnOf(request) === 0 ? [{ tool: 'book', id: 'b1', input: { place: 'Da Enzo' } }] : ['Done.'];
  });
  app.use(model);
  const { url } = await app.serve('limit.db');
  const id = await say(url, 'Book a table.');
  const asked = await read(url, id, -1, ({ type }) => type === 'tool-input-available');
  // The hook is there at once, or a moment later.
  let status = 0;
  while (status !== 204) {
    const answer = await fetch(`${url}/api/book/b1`, { method: 'POST', body: '{"agreed":true}' });
    status = answer.status;
  }
  const { end, chunks } = await read(url, id, asked.last);
  expect(end).toBe('completed');
  expect(chunks.find(({ type }) => type === 'tool-output-available')).toMatchObject({
    output: 'A table at Da Enzo is booked.',
  });
  expect(model.requests).toHaveLength(3);
  expect((await fetch(`${url}/api/chat/none`)).status).toBe(404);
});
