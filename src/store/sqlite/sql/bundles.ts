import type { Bundle } from '../../port.ts';
import type { Connection } from '../connection.ts';

const HAS = 'SELECT 1 FROM bundles WHERE hash = ?';

export function hasBundle(db: Connection, hash: string): boolean {
  return db.sql(HAS).get(hash) !== undefined;
}

const INSERT = 'INSERT INTO bundles (hash, code, map) VALUES (?, ?, ?) ON CONFLICT (hash) DO NOTHING';

export function insertBundle(db: Connection, hash: string, bundle: Bundle): void {
  db.sql(INSERT).run(hash, Buffer.from(bundle.code), bundle.map === null ? null : Buffer.from(bundle.map));
}

const SELECT = 'SELECT code, map FROM bundles WHERE hash = ?';

export function selectBundle(db: Connection, hash: string): Bundle | null {
  const row = db.sql(SELECT).get(hash) as { code: Uint8Array; map: Uint8Array | null } | undefined;
  return row === undefined ? null : { code: text(row.code), map: row.map === null ? null : text(row.map) };
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}
