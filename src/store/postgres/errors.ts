import { StoreError } from '../errors.ts';

/** Codes of PostgreSQL (https://www.postgresql.org/docs/current/errcodes-appendix.html) that we tell apart; two letters are a class. */
const PASSWORD = '28P01';
const NO_DATABASE = '3D000';
const PERMISSION = '42501';
const READ_ONLY = '25006';
const DISK_FULL = '53100';
const TOO_MANY = '53300';
const LOCK_TIMEOUT = '55P03';
const DEADLOCK = '40P01';
const UNIQUE = '23505';

/** Somebody else was faster, or in the way: the same once more may well succeed. */
export function isConflict(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === DEADLOCK || code === LOCK_TIMEOUT || code === '40001';
}

/** There is such a row already. */
export function isTaken(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === UNIQUE;
}

/** Says what an error of PostgreSQL, or of the way there, means for the store at `place`. Never with the user info of its URL. */
export function explain(error: unknown, place: string): unknown {
  if (error instanceof StoreError) return error;
  const { code = '', message = '' } = (error ?? {}) as { code?: string; message?: string };
  const details = { postgres: message };
  const make = (kind: ConstructorParameters<typeof StoreError>[0], text: string, remedy?: string) =>
    new StoreError(kind, text, { place, details, ...(remedy !== undefined && { remedy }) });
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return make('PAWL_STORE_CONNECTION', 'The host of the store has no address.');
  if (code === 'ECONNREFUSED' || code === 'ENOENT')
    return make('PAWL_STORE_CONNECTION', 'Nobody listens where the store should be.');
  if (code === 'ETIMEDOUT' || /timeout exceeded|timeout expired/.test(message))
    return make('PAWL_STORE_CONNECTION', 'The store did not answer in time.');
  if (code === PASSWORD || code.startsWith('28') || /SASL|password must be/.test(message))
    return make('PAWL_STORE_LOGIN', 'PostgreSQL refuses the user or the password.');
  if (code === NO_DATABASE)
    return make(
      'PAWL_STORE_MISSING',
      'PostgreSQL has no database of that name.',
      'Check the name, or make it: createdb NAME.',
    );
  if (code === PERMISSION || code === READ_ONLY)
    return make('PAWL_STORE_READONLY', 'This user may not write the store.');
  if (code === DISK_FULL) return make('PAWL_STORE_FULL', 'The disk that the store is on is full.');
  if (code === TOO_MANY) return make('PAWL_STORE_CONNECTION', 'PostgreSQL takes no more connections.');
  if (isConflict(error)) return make('PAWL_STORE_LOCKED', 'Another program holds a lock on the store.');
  if (/SSL/.test(message)) return make('PAWL_STORE_CONNECTION', 'The server and the URL do not agree on SSL.');
  if (isLost(error)) return make('PAWL_STORE_CONNECTION', 'The connection to the store was lost.');
  return make('PAWL_STORE_IO', `PostgreSQL reports a problem: ${message}.`);
}

/** Whether the connection was cut off: by the server, which may be restarting, or on the way. */
export function isLost(error: unknown): boolean {
  const { code = '', message = '' } = (error ?? {}) as { code?: string; message?: string };
  return (
    code.startsWith('08') ||
    code.startsWith('57P') ||
    code === 'ECONNRESET' ||
    code === 'EPIPE' ||
    /Connection terminated|Client has encountered|not queryable/.test(message)
  );
}

export function closed(place: string): StoreError {
  return new StoreError('PAWL_STORE_CLOSED', 'The store is closed.', { place });
}
