/**
 * Keys of models' providers. They are no credentials of pawl: a provider takes its key out of the environment by itself. Before a call the model
 * is asked for the headers that it sends, by `config.headers` as the providers of the AI SDK have it, so that what comes back does not show
 * the key. Of other models nothing is known.
 */
import { keepSecret } from '../secrets.ts';

const KEY_HEADER = /^(?:authorization|(?:[a-z]+-)*api-(?:key|token))$/i;

/** Made for a machine: servers at home take any word, `ollama` say, and that may stand anywhere. */
const KEY = /^(?=.*\d)[\x21-\x7e]{16,}$/;

interface Asked {
  provider?: unknown;
  config?: { headers?: unknown };
}

export async function keepKeys(model: object): Promise<void> {
  try {
    const { provider, config } = model as Asked;
    const given: unknown = await (typeof config?.headers === 'function' ? config.headers() : config?.headers);
    if (typeof given !== 'object' || given === null) return;
    for (const [name, value] of Object.entries(given)) {
      if (typeof value !== 'string' || !KEY_HEADER.test(name)) continue;
      const key = value.replace(/^\w+ /, '');
      if (KEY.test(key)) keepSecret(key, `${String(provider).split('.')[0]}.apiKey`);
    }
  } catch {
    // That there is no key, say: the call itself says so.
  }
}
