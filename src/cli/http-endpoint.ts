/** Where `pawl worker --port` takes HTTP requests. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PawlError } from '../errors.ts';
import { createHandler, type EventStore, toNodeListener } from '../runtime/index.ts';
import type { Address } from './endpoint-options.ts';

export interface Endpoint {
  /** As this machine reaches it, without a slash at the end. */
  url: string;
  /** Gives up requests that still wait. */
  close(): Promise<void>;
}

/**
 * Opens the port.
 *
 * @param onError told of what nobody foresaw
 * @throws PawlError `PAWL_PORT`
 */
export async function openEndpoint(
  { port, host }: Address,
  store: EventStore,
  onError: (error: unknown) => void,
): Promise<Endpoint> {
  const server = createServer(toNodeListener(createHandler({ store }, { onError })));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(refused(error, port, host)));
    server.listen(port, host, resolve);
  });
  server.on('error', onError);
  const { port: open } = server.address() as AddressInfo;
  const everywhere = host === '0.0.0.0' || host === '::';
  const name = everywhere ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  return {
    url: `http://${name}:${open}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function refused({ code, message }: NodeJS.ErrnoException, port: number, host: string): PawlError {
  const place = `${host}:${port}`;
  const refusal = (why: string, remedy: string): PawlError => new PawlError('PAWL_PORT', why, { place, remedy });
  switch (code) {
    case 'EADDRINUSE':
      return refusal(`The port ${port} is in use.`, 'Take another one, or end what has it; `--port 0` takes any.');
    case 'EACCES':
      return refusal(`The port ${port} may not be opened by this user.`, 'Take one from 1024 on.');
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return refusal(`This machine has no address ${host}.`, 'Leave out `--host`, or write 0.0.0.0 for all addresses.');
    default:
      return refusal(`The port ${port} cannot be opened: ${message}.`, 'Take another one.');
  }
}
