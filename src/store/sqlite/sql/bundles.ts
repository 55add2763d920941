import type { Bundle } from '../../port.ts';
import type { Connection } from '../connection.ts';

const HAS = 'SELECT 1 FROM bundles WHERE hash = ? AND (manifest IS NOT NULL OR ?)';

/** Whether there is nothing to add to what is known of it. */
export function hasBundle(db: Connection, hash: string, { manifest }: Bundle): boolean {
  return db.sql(HAS).get(hash, manifest === null ? 1 : 0) !== undefined;
}

const INSERT = `INSERT INTO bundles (hash, code, map, manifest) VALUES (?, ?, ?, ?)
  ON CONFLICT (hash) DO UPDATE SET manifest = excluded.manifest WHERE manifest IS NULL`;

export function insertBundle(db: Connection, hash: string, bundle: Bundle): void {
  db.sql(INSERT).run(hash, Buffer.from(bundle.code), bytes(bundle.map), bytes(bundle.manifest));
}

const SELECT = 'SELECT code, map, manifest FROM bundles WHERE hash = ?';

export function selectBundle(db: Connection, hash: string): Bundle | null {
  const row = db.sql(SELECT).get(hash) as Record<keyof Bundle, Uint8Array | null> | undefined;
  return row === undefined ? null : { code: text(row.code) ?? '', map: text(row.map), manifest: text(row.manifest) };
}

function bytes(value: string | null): Buffer | null {
  return value === null ? null : Buffer.from(value);
}

function text(value: Uint8Array | null): string | null {
  return value === null ? null : Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString();
}
