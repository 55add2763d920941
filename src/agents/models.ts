/** Which model a name stands for: `openai/gpt-5` is `gpt-5` of the provider `openai` in `pawl.config`. */
import { PawlError } from '../errors.ts';
import { ERROR_BRAND } from '../runtime/errors.ts';
import type { ModelReference } from './loop/types.ts';

/** A provider of the AI SDK, or a function from a model's id to the model, or to a promise of it. */
export type Provider = { languageModel(id: string): unknown } | ((id: string) => unknown);

/** What a configuration says of providers; it is only asked when an agent needs one. */
type Source = () => unknown;

let source: Source = () => undefined;

/** Called by step bundles of projects whose configuration names providers. */
export function useProviders(configuration: Source): void {
  source = configuration;
}

/**
 * The model itself.
 *
 * @throws PawlError `PAWL_AGENT_MODEL` when there is none; trying again would not help
 */
export async function resolveModel(model: ModelReference): Promise<object> {
  if (typeof model === 'string') return await named(model);
  if (typeof model === 'function' && !isModel(model)) {
    const made = await (model as () => unknown)();
    if (typeof made === 'string') return await named(made);
    if (isModel(made)) return made;
    throw noModel(
      'The function that makes the model of the agent returns none.',
      "Return a model of the AI SDK, such as `openai('gpt-5')`.",
    );
  }
  if (isModel(model)) return model;
  throw noModel('The model of the agent is none that the AI SDK knows.', EXAMPLES);
}

const EXAMPLES =
  "Give it `model: 'vendor/model-id'`, or a step that makes one: `async () => { 'use step'; return openai('gpt-5'); }`.";

function isModel(value: unknown): value is object {
  return typeof (value as { doStream?: unknown } | null | undefined)?.doStream === 'function';
}

async function named(name: string): Promise<object> {
  const slash = name.indexOf('/');
  const [vendor, id] = slash < 0 ? ['', name] : [name.slice(0, slash), name.slice(slash + 1)];
  const providers = (await providersOf()) as Record<string, Provider> | undefined;
  const known = Object.keys(providers ?? {});
  if (vendor === '' || id === '') {
    throw noModel(`\`${name}\` names no model.`, 'Write `vendor/model-id`, such as `openai/gpt-5`.');
  }
  const provider = Object.hasOwn(providers ?? {}, vendor) ? providers?.[vendor] : undefined;
  const model = await (provider ? modelOf(provider, id) : fallback(name));
  if (isModel(model)) return model;
  const has = known.length === 0 ? 'It names none.' : `It has: ${known.join(', ')}.`;
  if (provider)
    throw noModel(`The provider ${vendor} of pawl.config gives no model \`${id}\`.`, 'Correct the name of the model.');
  throw noModel(
    `The model \`${name}\` needs the provider ${vendor}, which pawl.config does not name. ${has}`,
    `Add \`providers: { ${/^[A-Za-z_$][\w$]*$/.test(vendor) ? vendor : JSON.stringify(vendor)}: … }\` to pawl.config.ts, with a provider of the AI SDK, and build again.`,
  );
}

async function providersOf(): Promise<unknown> {
  const configuration = (await source()) as { providers?: unknown } | undefined;
  return configuration?.providers;
}

function modelOf(provider: Provider, id: string): unknown {
  if (typeof (provider as { languageModel?: unknown }).languageModel === 'function') {
    return (provider as { languageModel(id: string): unknown }).languageModel(id);
  }
  return typeof provider === 'function' ? provider(id) : undefined;
}

/** The provider that the AI SDK itself takes for names, if a program has set one. */
function fallback(name: string): unknown {
  const provider = (globalThis as { AI_SDK_DEFAULT_PROVIDER?: Provider }).AI_SDK_DEFAULT_PROVIDER;
  return provider && modelOf(provider, name);
}

export function noModel(message: string, remedy: string): PawlError {
  const error = new PawlError('PAWL_AGENT_MODEL', message, { remedy });
  return Object.defineProperty(error, ERROR_BRAND, { value: 'fatal' });
}
