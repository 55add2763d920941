/** The structured answer: what the model is told about its form, and what is made of its text. */
import { PawlError } from '../../errors.ts';
import { isSchema, jsonSchemaOf, validate } from './schemas.ts';
import type { ModelAnswer, ResponseFormat } from './types.ts';

/** `Output.object({ … })` of the AI SDK. */
interface OutputLike {
  responseFormat: PromiseLike<ResponseFormat | undefined> | ResponseFormat | undefined;
  parseCompleteOutput(options: { text: string }, context: Record<string, unknown>): unknown;
}

function isOutput(value: unknown): value is OutputLike {
  return typeof (value as OutputLike | null | undefined)?.parseCompleteOutput === 'function';
}

/**
 * @param output a schema, or `Output.object({ schema })` of the AI SDK; undefined for a text
 * @throws PawlError `PAWL_AGENT_OUTPUT` for anything else, `PAWL_SCHEMA_JSON`
 */
export async function responseFormatOf(output: unknown): Promise<ResponseFormat | undefined> {
  if (output === undefined || output === null) return undefined;
  if (isOutput(output)) return plainFormat(await output.responseFormat);
  if (!isSchema(output)) {
    throw new PawlError('PAWL_AGENT_OUTPUT', 'The `output` of an agent is neither a schema nor an `Output`.', {
      remedy: 'Pass a schema, such as `z.object({ … })`, or `Output.object({ schema })` of `ai`.',
    });
  }
  return { type: 'json', schema: await jsonSchemaOf(output, 'the output') };
}

function plainFormat(format: ResponseFormat | undefined): ResponseFormat | undefined {
  if (!format || format.type === 'text') return undefined;
  return JSON.parse(JSON.stringify(format));
}

/**
 * @returns what the schema makes of the answer; the text where there is no schema
 * @throws PawlError `PAWL_AGENT_OUTPUT` when the answer does not match
 */
export async function parseOutput(output: unknown, answer: ModelAnswer): Promise<unknown> {
  const { text, finishReason, usage, response } = answer;
  if (output === undefined || output === null) return text;
  if (isOutput(output)) {
    try {
      return await output.parseCompleteOutput({ text }, { finishReason, usage, response });
    } catch (error) {
      throw mismatch(answer, String((error as { message?: unknown } | null)?.message ?? error));
    }
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw mismatch(answer, 'it is no JSON');
  }
  const result = await validate(output, value, 'output');
  if (!result.ok) throw mismatch(answer, result.message);
  return result.value;
}

function mismatch({ text, finishReason }: ModelAnswer, why: string): PawlError {
  const message =
    text === ''
      ? `The model's answer is empty (finish reason: ${finishReason}), and an object was asked for.`
      : `The model's answer does not match the schema of the output: ${why}.`;
  return new PawlError('PAWL_AGENT_OUTPUT', message, {
    remedy:
      finishReason === 'length'
        ? 'The answer was cut off: allow more `maxOutputTokens`.'
        : 'Say in the instructions what is wanted, make the schema simpler, or take another model.',
    details: { text, finishReason },
  });
}
