/** A server that speaks the chat protocol of OpenAI with server-sent events, as much of it as agents use, and answers from a script. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface ChatMessage {
  role: string;
  content: unknown;
  tool_call_id?: string;
}

/** What was asked for. */
export interface ChatRequest {
  messages: ChatMessage[];
  tools?: { function: { name: string; description?: string; parameters: unknown } }[];
  model: string;
}

/** A piece of an answer. Text goes out word by word. */
export type Piece =
  | string
  | { tool: string; id: string; input: unknown }
  /** The connection breaks. */
  | { drop: true }
  /** The answer ends without its end. */
  | { end: true }
  /** Nothing more until that. */
  | { until: Promise<void> };

export type Reply = Piece[] | { status: number; headers?: Record<string, string>; body?: string };

export interface ModelServer {
  url: string;
  requests: ChatRequest[];
  /** Other requests: what tools ask. */
  others: string[];
  close(): Promise<void>;
}

/** @param reply says what is answered to the n-th request, from 1 */
export async function startModelServer(reply: (request: ChatRequest, count: number) => Reply): Promise<ModelServer> {
  const requests: ChatRequest[] = [];
  const others: string[] = [];
  const server = createServer((incoming, response) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      if (!incoming.url?.endsWith('/chat/completions')) {
        others.push(incoming.url ?? '');
        response.setHeader('content-type', 'application/json').end('{"sky":"blue"}');
        return;
      }
      const request = JSON.parse(Buffer.concat(parts).toString()) as ChatRequest;
      requests.push(request);
      void answer(response, reply(request, requests.length));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    others,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

async function answer(response: ServerResponse, reply: Reply): Promise<void> {
  if (!Array.isArray(reply)) {
    response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
    response.end(reply.body ?? '{"error":{"message":"no"}}');
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (delta: object, finish: string | null = null): Promise<void> =>
    new Promise((resolve) => {
      const choices = [{ index: 0, delta, finish_reason: finish }];
      response.write(`data: ${JSON.stringify({ id: 'answer', created: 0, model: 'small', choices })}\n\n`, () =>
        resolve(),
      );
    });
  await send({ role: 'assistant', content: '' });
  let calls = 0;
  for (const piece of reply) {
    if (typeof piece === 'string') {
      for (const word of piece.split(/(?<= )/)) await send({ content: word });
    } else if ('tool' in piece) {
      const { tool: name, id, input } = piece;
      await send({ tool_calls: [{ index: calls, id, type: 'function', function: { name, arguments: '' } }] });
      const text = JSON.stringify(input);
      for (const half of [text.slice(0, 5), text.slice(5)])
        await send({ tool_calls: [{ index: calls, function: { arguments: half } }] });
      calls++;
    } else if ('drop' in piece) {
      response.destroy();
      return;
    } else if ('end' in piece) {
      response.end();
      return;
    } else await piece.until;
  }
  await send({}, calls > 0 ? 'tool_calls' : 'stop');
  response.write(
    `data: ${JSON.stringify({ id: 'answer', choices: [], usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 } })}\n\n`,
  );
  response.end('data: [DONE]\n\n');
}
