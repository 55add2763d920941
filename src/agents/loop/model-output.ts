/** What the model gets back of a tool, and what the stream tells of it. */
import type { Tool } from './tools.ts';

/** As `output` of a tool result in a message. */
export async function modelOutput(
  { toModelOutput }: Pick<Tool, 'toModelOutput'>,
  call: { toolCallId: string; input: unknown },
  output: unknown,
): Promise<unknown> {
  if (toModelOutput) return toModelOutput({ toolCallId: call.toolCallId, input: call.input, output });
  return typeof output === 'string' ? { type: 'text', value: output } : { type: 'json', value: jsonOf(output) };
}

/** A value as JSON has it; what JSON has no word for is described. */
export function jsonOf(value: unknown): unknown {
  try {
    const text = JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? String(each) : each));
    return text === undefined ? null : JSON.parse(text);
  } catch (error) {
    return `a value that cannot be written as JSON: ${messageOf(error)}`;
  }
}

/** What a model reads of what a tool threw, which may be anything. */
export function messageOf(thrown: unknown): string {
  try {
    if (typeof thrown === 'string') return thrown;
    if (typeof thrown === 'object' && thrown !== null) {
      const { message } = thrown as { message?: unknown };
      if (typeof message === 'string' && message !== '') return message;
      const { name } = thrown as { name?: unknown };
      if (typeof name === 'string' && Object.prototype.toString.call(thrown) === '[object Error]') return name;
      return JSON.stringify(thrown) ?? 'an unknown error';
    }
    return thrown === undefined || thrown === null ? 'an unknown error' : String(thrown);
  } catch {
    return 'an unknown error';
  }
}
