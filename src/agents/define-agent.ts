import { PawlError } from '../errors.ts';
import { ERROR_BRAND } from '../runtime/errors.ts';
import { define, requireOptions } from './define.ts';

export interface AgentOptions {
  slug: string;
  systemPrompt: string;
  /** A model id, or a model of an AI library. */
  model: unknown;
  /** Actions, which the model may call. */
  tools?: readonly unknown[];
  name?: string;
  description?: string;
}

export interface Agent {
  readonly slug: string;
  readonly name?: string;
  readonly description?: string;
  readonly systemPrompt: string;
  readonly model: unknown;
  readonly tools: readonly unknown[];
  /** @throws PawlError `PAWL_AGENTS_UNSUPPORTED`: this version builds and lists agents and does not run them. */
  prompt(input: { message: string }): Promise<never>;
}

/**
 * Defines an agent. This version of pawl recognizes agents and puts them in the manifest; it does not run them yet.
 *
 * @example
 * export const support = defineAgent({ slug: 'support', systemPrompt: 'Be brief.', model: 'gpt-5', tools: [triage] });
 */
export function defineAgent(options: AgentOptions): Agent {
  requireOptions('agent', options, ['slug', 'systemPrompt', 'model']);
  const { slug, name, description, systemPrompt, model, tools = [] } = options;
  const prompt = async (): Promise<never> => {
    const error = new PawlError(
      'PAWL_AGENTS_UNSUPPORTED',
      `The agent ${slug} cannot be prompted: this version of pawl runs no agents.`,
      {
        remedy: 'Call the model in a step or an action of your own.',
      },
    );
    Object.defineProperty(error, ERROR_BRAND, { value: 'fatal' });
    throw error;
  };
  return define({ slug, name, description, systemPrompt, model, tools, prompt }, { kind: 'agent', execute: prompt });
}
