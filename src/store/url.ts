import { StoreError } from './errors.ts';

/** `full` survives the loss of power; `normal` survives the death of the process, and may lose the last moments with the power. */
export type Durability = 'full' | 'normal';

export type StoreUrl = SqliteUrl | PostgresUrl;

/** A database of PostgreSQL, taken apart. */
export interface PostgresUrl {
  scheme: 'postgres';
  /** What the driver gets: the URL without options of ours. */
  connectionString: string;
  /** Where the tables are; default `pawl`. */
  schema: string;
  /** The URL without user and password, for messages. */
  place: string;
}

/** A store in a file. `path` is null for one in memory. */
export interface SqliteUrl {
  scheme: 'sqlite';
  path: string | null;
  durability: Durability;
}

const MEMORY = ':memory:';

/**
 * Parses `sqlite:PATH`, `sqlite:PATH?durability=normal` or `sqlite::memory:`. The path is taken as it stands, relative to the
 * working directory, nothing is decoded. It may hold a `?`: options begin at the last one, and only where `key=value` follows.
 *
 * @throws StoreError `PAWL_STORE_URL` or `PAWL_STORE_UNSUPPORTED`
 */
export function parseStoreUrl(url: string): StoreUrl {
  const colon = url.indexOf(':');
  const scheme = colon < 0 ? '' : url.slice(0, colon).toLowerCase();
  if (scheme === 'postgres' || scheme === 'postgresql') return parsePostgresUrl(url);
  if (scheme !== 'sqlite') throw unknownScheme(url, scheme);

  const { place, query } = splitQuery(url.slice(colon + 1));
  const path = place.replace(/^\/\/(?=\/|[^/])/, '');
  if (path === '') {
    throw new StoreError('PAWL_STORE_URL', 'The store URL names no file.', { place: url });
  }
  const durability = parseOptions(url, query);
  return { scheme, path: path === MEMORY ? null : path, durability };
}

/** A `/` behind the `?` means that a folder has it in its name. */
const QUERY = /^[\w-]+=[^/\\]*$/;

function splitQuery(rest: string): { place: string; query: string } {
  const at = rest.lastIndexOf('?');
  const query = rest.slice(at + 1);
  if (at < 0 || !QUERY.test(query)) return { place: rest, query: '' };
  return { place: rest.slice(0, at), query };
}

function parseOptions(url: string, query: string): Durability {
  let durability: Durability = 'full';
  for (const [key, value] of new URLSearchParams(query)) {
    if (key !== 'durability') {
      throw new StoreError('PAWL_STORE_URL', `The store URL has an unknown option '${key}'.`, {
        place: url,
        remedy: "The only option is 'durability', as in sqlite:PATH?durability=normal.",
      });
    }
    if (value !== 'full' && value !== 'normal') {
      throw new StoreError('PAWL_STORE_URL', `'${value}' is no durability.`, {
        place: url,
        remedy:
          "Write 'full' (survives the loss of power, the default) or 'normal' (survives the death of the process).",
      });
    }
    durability = value;
  }
  return durability;
}

/** The user info of a URL is a secret: error messages end up in logs. */
function withoutUser(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//…@');
}

const SCHEMA = /^[a-z_][a-z0-9_]{0,57}$/;

/** `postgres://user:password@host:port/database?schema=pawl`; other options are the driver's. */
function parsePostgresUrl(url: string): PostgresUrl {
  const place = withoutUser(url).replace(/\?.*$/, '');
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new StoreError('PAWL_STORE_URL', 'The store URL cannot be read.', {
      place,
      remedy:
        'Write postgres://USER:PASSWORD@HOST:PORT/DATABASE, with special letters of the password percent-encoded.',
    });
  }
  const schema = parsed.searchParams.get('schema') ?? 'pawl';
  if (!SCHEMA.test(schema)) {
    throw new StoreError('PAWL_STORE_URL', `'${schema}' is no name for a schema.`, {
      place,
      remedy: 'Use small letters, digits and _, 58 of them at most, and begin with a letter.',
    });
  }
  parsed.searchParams.delete('schema');
  return { scheme: 'postgres', connectionString: parsed.href, schema, place };
}

function unknownScheme(url: string, scheme: string): StoreError {
  const place = withoutUser(url);
  if (/^([a-z]|)$/.test(scheme) || /^[./~]/.test(url)) {
    return new StoreError('PAWL_STORE_URL', 'The store is named by a path, not by a URL.', {
      place,
      remedy: `Write sqlite:${url || 'PATH'}`,
    });
  }
  return new StoreError('PAWL_STORE_UNSUPPORTED', `There is no store for '${scheme}:'.`, { place });
}
