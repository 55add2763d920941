/** A codec of code that knows secrets: what it writes goes to the store, and these must not. */
import { PawlError } from '../errors.ts';
import { knowsSecrets, redact, secretIn } from '../secrets.ts';
import { ERROR_BRAND } from './errors.ts';
import { type Codec, DATA_VERSION, type Destination } from './serialization/codec.ts';

/** The codec, which refuses values that hold a secret, and replaces secrets in errors by their names. */
export function guardSecrets(codec: Codec): Codec {
  return {
    parse: codec.parse,
    stringify(value, destination) {
      const data = codec.stringify(value, destination);
      refuseSecret(data, destination);
      return data;
    },
    stringifyThrown(thrown) {
      const data = codec.stringifyThrown(thrown);
      return knowsSecrets() ? DATA_VERSION + redactData(data.slice(DATA_VERSION.length)) : data;
    },
  };
}

/** What devalue wrote, with secrets replaced in all texts, and with zeros in bytes. Its structure stays, whatever short secrets there are. */
export function redactData(json: string): string {
  return JSON.stringify(redactPart(JSON.parse(json)));
}

function redactPart(part: unknown): unknown {
  if (typeof part === 'string') return redact(part);
  if (Array.isArray(part)) {
    const [type, base64] = part as unknown[];
    if (type !== 'ArrayBuffer' || typeof base64 !== 'string') return part.map(redactPart);
    return [type, redact(base64) === base64 ? base64 : base64.replace(/[^=]/g, 'A')];
  }
  if (typeof part !== 'object' || part === null) return part;
  return Object.fromEntries(Object.entries(part).map(([key, each]) => [redact(key), redactPart(each)]));
}

/**
 * @param fate - what would become of it
 * @throws PawlError `PAWL_CREDENTIAL_LEAKED`, which names the credential
 */
export function refuseSecret(data: string, { what }: Pick<Destination, 'what'>, fate = 'is recorded'): void {
  const name = secretIn(data);
  if (name === null) return;
  const message = `The credential ${name} is in ${what}, which ${fate}.`;
  const remedy = 'Pass on what was got with it. What is no secret goes into `public` of its defineCredential().';
  const error = new PawlError('PAWL_CREDENTIAL_LEAKED', message, { remedy });
  throw Object.defineProperty(error, ERROR_BRAND, { value: 'fatal' });
}

/** The same of bytes that a step writes to a stream. A secret that two chunks share is not seen. */
export function refuseSecretBytes(bytes: Uint8Array): void {
  if (knowsSecrets()) refuseSecret(utf8.decode(bytes), { what: 'a chunk of a stream' });
}

const utf8 = new TextDecoder();
