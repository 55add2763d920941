/** One question without an agent, as programs for Keystroke ask it. */
import type { LoopAgent } from './durable-agent.ts';
import type { LoopSettings } from './types.ts';

/** What `promptLlm` takes besides the question: `model`, settings of the generation. */
export interface PromptLlmOptions extends LoopSettings {
  outputSchema?: unknown;
}

/** @param Agent of the host: in a workflow the question is a step */
export function promptLlmWith(Agent: new (settings: LoopSettings) => LoopAgent) {
  return async (prompt: string, { outputSchema, ...settings }: PromptLlmOptions): Promise<unknown> => {
    const { output } = await new Agent(settings).stream({ prompt, output: outputSchema });
    return output;
  };
}
