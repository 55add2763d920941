/** The options with which commands take HTTP requests. */
import { PawlError } from '../errors.ts';
import type { OptionSpecs } from './command.ts';

export const ENDPOINT_OPTIONS = {
  port: { type: 'string', value: 'N', description: 'Take requests to webhooks on this port' },
  host: {
    type: 'string',
    value: 'NAME',
    description: 'Where the port is open (default: 127.0.0.1, this machine alone)',
  },
} as const satisfies OptionSpecs;

export interface Address {
  port: number;
  host: string;
}

/**
 * Reads the options.
 *
 * @returns null when there is to be no endpoint
 * @throws PawlError `PAWL_USAGE`
 */
export function readAddress({ port, host }: { port?: string; host?: string }): Address | null {
  if (port === undefined) {
    if (host === undefined) return null;
    throw new PawlError('PAWL_USAGE', '`--host` says where a port is open, and there is no `--port`.', {
      remedy: 'Add `--port`, for example `--port 3000`.',
    });
  }
  if (/^\d{1,5}$/.test(port) && Number(port) < 65_536) return { port: Number(port), host: host ?? '127.0.0.1' };
  throw new PawlError('PAWL_USAGE', `\`--port ${port}\` is no port.`, {
    remedy: 'Write a whole number up to 65535; 0 takes any port that is free.',
  });
}
