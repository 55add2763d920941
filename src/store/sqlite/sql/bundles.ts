import type { Bundle } from '../../port.ts';
import type { Connection } from '../connection.ts';

const HAS = 'SELECT 1 FROM bundles WHERE hash = ?';

export function hasBundle(db: Connection, hash: string): boolean {
  return db.sql(HAS).get(hash) !== undefined;
}

const INSERT = 'INSERT INTO bundles (hash, code, map) VALUES (?, ?, ?) ON CONFLICT (hash) DO NOTHING';

export function insertBundle(db: Connection, hash: string, bundle: Bundle): void {
  db.sql(INSERT).run(hash, bundle.code, bundle.map);
}

const SELECT = 'SELECT code, map FROM bundles WHERE hash = ?';

export function selectBundle(db: Connection, hash: string): Bundle | null {
  const row = db.sql(SELECT).get(hash) as Bundle | undefined;
  return row === undefined ? null : { code: row.code, map: row.map };
}
