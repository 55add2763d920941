/** The loop in plain code: in an action, a step, a script. Model calls are made at once, and again when they fail in passing. */
import { brandOf } from '../runtime/errors.ts';
import { refuseSecret } from '../runtime/guarded-codec.ts';
import { currentStep } from '../runtime/step-context.ts';
import { redact } from '../secrets.ts';
import { callModel, type ToldTool, writeChunks } from './call-model.ts';
import { jsonOf } from './loop/model-output.ts';
import { jsonSchemaOf } from './loop/schemas.ts';
import type { LoopHost, ModelAnswer, ModelRequest } from './loop/types.ts';
import { AGENT_INPUT } from './loop/tools.ts';
import { noModel } from './models.ts';

export const plainHost: LoopHost = {
  isDurable: false,
  callModel: (request) => callAgain(request),
  write: writeChunks,
  approval: null,
  secrets: {
    redact,
    refuse: (output, tool) =>
      refuseSecret(JSON.stringify(jsonOf(output)), { what: `the result of tool ${tool}` }, 'would go to the model'),
  },
};

async function callAgain(request: ModelRequest): Promise<ModelAnswer> {
  const signal = currentStep()?.step.signal;
  for (let attempt = 1; ; attempt++) {
    try {
      return await callModel(request, { attempt, signal, describe: unknownDefinition });
    } catch (error) {
      const brand = brandOf(error);
      if (brand === 'fatal' || brand === 'cancelled' || signal?.aborted) throw error;
      const { retryAfter } = error as { retryAfter?: unknown };
      await pause(typeof retryAfter === 'number' ? retryAfter : 1_000 * 2 ** (attempt - 1), signal);
    }
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/** Here definitions are there whole. */
async function unknownDefinition({ name }: { name: string }): Promise<never> {
  throw noModel(`Nothing is known of the tool ${name}.`, 'Run `pawl build`.');
}

/** What a model is told of a registered definition. */
export async function describeDefinition(
  definition: { slug?: string; description?: string; input?: unknown } | undefined,
  { definition: slug, kind }: { definition: string; kind: string },
): Promise<ToldTool> {
  if (!definition) throw noModel(`There is no ${kind} ${slug} that could be a tool.`, 'Run `pawl build`.');
  const { description, input } = definition;
  const inputSchema = kind === 'agent' ? AGENT_INPUT : await jsonSchemaOf(input, `the input of ${kind} ${slug}`);
  return { inputSchema, settings: description === undefined ? {} : { description } };
}
