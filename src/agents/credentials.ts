import { PawlError } from '../errors.ts';
import { ERROR_BRAND } from '../runtime/errors.ts';
import type { Credential } from './define-credential.ts';

/**
 * Values of credentials, from the environment.
 *
 * @throws PawlError `PAWL_CREDENTIAL_MISSING`, which names the variable and never a value.
 */
export function resolveCredentials(
  credentials: readonly Credential[],
  owner: string,
): Record<string, Record<string, string>> {
  const all: Record<string, Record<string, string>> = {};
  for (const { key, fields } of credentials) {
    const values: Record<string, string> = {};
    for (const field of fields) values[field] = read(key, field, owner);
    all[key] = values;
  }
  return all;
}

function read(key: string, field: string, owner: string): string {
  const variable = `${snake(key)}_${snake(field)}`;
  const value = process.env[variable];
  if (value !== undefined && value !== '') return value;
  const error = new PawlError('PAWL_CREDENTIAL_MISSING', `The credential ${key}.${field} of ${owner} is not set.`, {
    place: owner,
    remedy: `Set the environment variable ${variable}.`,
  });
  Object.defineProperty(error, ERROR_BRAND, { value: 'fatal' });
  throw error;
}

/** `apiKey` → `API_KEY` */
function snake(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .toUpperCase();
}
