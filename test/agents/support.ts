/** Programs with agents, and models that answer from a script. */
import { readUIMessageStream, type UIMessage, type UIMessageChunk } from 'ai';
import { onTestFinished } from 'vitest';
import type { Run } from '../../src/runtime/index.ts';
import { createTestRuntime, type TestRuntime } from '../../src/testing/index.ts';

/** What the scripted models of the program in this process were asked. */
export interface Asked {
  prompt: { role: string; content: unknown }[];
  tools?: { type: string; name: string; description?: string; inputSchema?: unknown }[];
  toolChoice?: unknown;
  responseFormat?: unknown;
  temperature?: number;
}

const holder = globalThis as { pawlAsked?: Asked[] };

export function asked(): Asked[] {
  holder.pawlAsked ??= [];
  return holder.pawlAsked;
}

/** Models of other tests may have been asked in this process before. */
export function forgetAsked(): void {
  holder.pawlAsked = [];
}

/**
 * `scripted(answers)`: a model whose n-th answer in a conversation is the n-th of the list, the last one from then on. A text, or tool calls;
 * `{ fail }` throws, `{ text, cut }` breaks off behind the text.
 */
export const MODEL = `import { APICallError } from 'ai';
import { MockLanguageModelV3 } from 'ai/test';

const holder = globalThis as { pawlAsked?: unknown[] };
const usage = { inputTokens: { total: 3 }, outputTokens: { total: 2 } };
type Answer = any;

export function scripted(answers: Answer[]) {
  return new MockLanguageModelV3({
    doStream: async (options: any) => {
      (holder.pawlAsked ??= []).push(options);
      const turn = options.prompt.filter(({ role }: { role: string }) => role === 'assistant').length;
      let answer = answers[Math.min(turn, answers.length - 1)];
      if (typeof answer === 'function') answer = answer(options);
      if (answer.fail) throw answer.fail;
      const chunks: any[] = [{ type: 'stream-start', warnings: [] }];
      const list = Array.isArray(answer) ? answer : [answer];
      let calls = 0;
      list.forEach((part, index) => {
        if (typeof part === 'string' || part.text !== undefined) {
          const id = String(index);
          chunks.push({ type: 'text-start', id }, { type: 'text-delta', id, delta: part.text ?? part });
          if (!part.cut) chunks.push({ type: 'text-end', id });
        } else if (part.reasoning) {
          const id = 'r' + index;
          chunks.push({ type: 'reasoning-start', id }, { type: 'reasoning-delta', id, delta: part.reasoning }, { type: 'reasoning-end', id });
        } else {
          calls++;
          const toolCallId = part.id ?? 'call-' + turn + '-' + index;
          chunks.push({ type: 'tool-call', toolCallId, toolName: part.tool, input: part.raw ?? JSON.stringify(part.input ?? {}) });
        }
      });
      const cut = list.some((part) => part.cut);
      const reason = calls > 0 ? 'tool-calls' : 'stop';
      if (!cut) chunks.push({ type: 'finish', finishReason: { unified: reason, raw: reason }, usage });
      let at = 0;
      const stream = new ReadableStream({
        pull(controller) {
          if (at < chunks.length) controller.enqueue(chunks[at++]);
          else if (cut) controller.error(new TypeError('terminated'));
          else controller.close();
        },
      });
      return { stream };
    },
  });
}

export function apiError(statusCode: number, responseHeaders: Record<string, string> = {}) {
  return new APICallError({ message: 'no', url: 'https://models.example', requestBodyValues: {}, statusCode, responseHeaders });
}
`;

/** @param main text of `src/main.ts`; `./model` gives `scripted` */
export async function agentProgram(main: string, more: Record<string, string> = {}): Promise<TestRuntime> {
  const sources = { 'src/main.ts': main, 'src/model.ts': MODEL, ...more };
  const runtime = await createTestRuntime({ sources });
  forgetAsked();
  onTestFinished(() => runtime.close());
  return runtime;
}

/** What a client of the AI SDK makes of chunks. */
export async function messageOf(chunks: readonly UIMessageChunk[]): Promise<UIMessage | undefined> {
  const stream = new ReadableStream<UIMessageChunk>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(structuredClone(chunk));
      controller.close();
    },
  });
  let message: UIMessage | undefined;
  for await (const each of readUIMessageStream({ stream, terminateOnError: true })) message = each;
  return message;
}

/** Everything that was streamed, as a client of the AI SDK sees it. */
export async function watch(run: Run<unknown>): Promise<{ chunks: UIMessageChunk[]; message: UIMessage | undefined }> {
  const chunks: UIMessageChunk[] = [];
  for await (const chunk of run.getReadable<UIMessageChunk>()) chunks.push(chunk);
  return { chunks, message: await messageOf(chunks) };
}

/** Kinds of chunks in their order. */
export function kinds(chunks: readonly UIMessageChunk[]): string[] {
  return chunks.map(({ type }) => type);
}
