/** `DurableAgent` and the defined agent over a host: the same in workflow code and in plain code. */
import { PawlError } from '../../errors.ts';
import { runLoop } from './loop.ts';
import type { AgentResult, LoopHost, LoopOptions, LoopSettings, Message } from './types.ts';

/** What `agent.prompt()` takes. */
export interface PromptInput extends Omit<LoopOptions, 'messages' | 'prompt'> {
  /** What the user says: a text, or parts as in a message of the AI SDK. */
  message?: unknown;
  /** The conversation before it. */
  messages?: readonly Message[];
}

/** What each host's class makes. */
export interface LoopAgent {
  readonly tools: unknown;
  stream(options: LoopOptions): Promise<AgentResult>;
}

/**
 * Settings in a class that each host makes for itself.
 *
 * @param around runs what the loop does
 */
export function durableAgentClass(
  host: LoopHost,
  around: <T>(work: () => T) => T = (work) => work(),
): new (
  settings: LoopSettings,
) => LoopAgent {
  return class DurableAgent implements LoopAgent {
    readonly #settings: LoopSettings;

    constructor(settings: LoopSettings) {
      if (typeof settings !== 'object' || settings === null) {
        throw new PawlError('PAWL_AGENT_MODEL', 'The agent was given no settings.', {
          remedy: "Write `new DurableAgent({ model: 'vendor/model-id', instructions: '…', tools: { … } })`.",
        });
      }
      this.#settings = settings;
    }

    get tools(): unknown {
      return this.#settings.tools ?? {};
    }

    stream(options: LoopOptions): Promise<AgentResult> {
      return around(() => runLoop(this.#settings, options, host));
    }
  };
}

/**
 * One message to a defined agent.
 *
 * @throws PawlError `PAWL_AGENT_MESSAGES` without a message, and as `stream`
 */
export async function promptAgent(settings: LoopSettings, input: PromptInput, host: LoopHost): Promise<AgentResult> {
  const { message, messages = [], ...options } = typeof input === 'object' && input !== null ? input : {};
  const isEmpty = message === undefined || message === null || message === '';
  if (isEmpty && messages.length === 0) {
    throw new PawlError('PAWL_AGENT_MESSAGES', `The agent ${settings.agent ?? ''} was prompted without a message.`, {
      remedy: "Write `agent.prompt({ message: '…' })`.",
    });
  }
  const said = isEmpty ? [] : [{ role: 'user', content: message }];
  return runLoop(settings, { ...options, messages: [...messages, ...said] }, host);
}

/** An agent as it stands in workflow code: what its definition says besides is known where the model is called. */
export function workflowAgent(slug: string, settings: LoopSettings, host: LoopHost) {
  return {
    slug,
    prompt: (input: PromptInput): Promise<AgentResult> => promptAgent({ ...settings, agent: slug }, input, host),
  };
}
