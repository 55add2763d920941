/** The structured answer: what the model is told about its form, and what is made of its text. */
import { PawlError } from '../../errors.ts';
import { describeIssues, type SchemaIssue } from '../../runtime/schema-issues.ts';
import { isSchema, issuesBehind, jsonSchemaOf, validate } from './schemas.ts';
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
 * @throws PawlError `PAWL_AGENT_OUTPUT` when the answer does not match, with the paths of what is wrong
 */
export async function parseOutput(output: unknown, answer: ModelAnswer): Promise<unknown> {
  const { text, finishReason, usage, response } = answer;
  if (output === undefined || output === null) return text;
  if (isOutput(output)) {
    try {
      return await output.parseCompleteOutput({ text }, { finishReason, usage, response });
    } catch (error) {
      throw mismatch(answer, isNoJson(error) ? NO_JSON : issuesBehind(error, rootIn(text, error)));
    }
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw mismatch(answer, NO_JSON);
  }
  const result = await validate(output, value, 'output');
  if (!result.ok) throw mismatch(answer, result.issues);
  return result.value;
}

const NO_JSON: readonly SchemaIssue[] = [{ path: 'output', message: 'it is no JSON' }];

/** An error of the AI SDK, of whichever copy of it. */
const JSON_ERROR = Symbol.for('vercel.ai.error.AI_JSONParseError');

function isNoJson(error: unknown): boolean {
  const cause = (error as { cause?: unknown } | null | undefined)?.cause;
  return typeof cause === 'object' && cause !== null && JSON_ERROR in cause;
}

/** `Output.array` asks for an object around the list, and says which element is wrong, but not where it stands. */
function rootIn(text: string, error: unknown): string {
  const cause = (error as { cause?: { value?: unknown } } | null | undefined)?.cause;
  if (typeof cause !== 'object' || cause === null || !('value' in cause)) return 'output';
  try {
    const { elements } = JSON.parse(text) as { elements?: unknown };
    const wrong = JSON.stringify(cause.value);
    const index = Array.isArray(elements) ? elements.findIndex((each) => JSON.stringify(each) === wrong) : -1;
    return index < 0 ? 'output' : `output[${index}]`;
  } catch {
    return 'output';
  }
}

function mismatch({ text, finishReason }: ModelAnswer, issues: readonly SchemaIssue[]): PawlError {
  const why = issues === NO_JSON ? 'it is no JSON' : describeIssues(issues);
  const message =
    text === ''
      ? `The model's answer is empty (finish reason: ${finishReason}), and an object was asked for.`
      : `The model's answer does not match the schema of the output: ${why.replace(/\.$/, '')}.`;
  return new PawlError('PAWL_AGENT_OUTPUT', message, {
    remedy:
      finishReason === 'length'
        ? 'The answer was cut off: allow more `maxOutputTokens`.'
        : 'Say in the instructions what is wanted, make the schema simpler, or take another model.',
    details: { side: 'output', issues: issues.map((issue) => ({ ...issue })), text, finishReason },
  });
}
