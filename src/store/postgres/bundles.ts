import type { Bundle } from '../port.ts';
import type { Executor } from './connection.ts';

/** Whether there is nothing to add to what is known of it. */
export async function hasBundle(on: Executor, hash: string, { manifest }: Bundle): Promise<boolean> {
  const known = 'SELECT 1 FROM bundles WHERE hash = $1 AND (manifest IS NOT NULL OR $2)';
  return (await on.rows(known, [hash, manifest === null])).length > 0;
}

const INSERT = `INSERT INTO bundles (hash, code, map, manifest) VALUES ($1, $2, $3, $4)
  ON CONFLICT (hash) DO UPDATE SET manifest = excluded.manifest WHERE bundles.manifest IS NULL`;

export async function insertBundle(on: Executor, hash: string, { code, map, manifest }: Bundle): Promise<void> {
  await on.rows(INSERT, [hash, Buffer.from(code), bytes(map), bytes(manifest)]);
}

export async function selectBundle(on: Executor, hash: string): Promise<Bundle | null> {
  const [row] = await on.rows<{ code: Buffer; map: Buffer | null; manifest: Buffer | null }>(
    'SELECT code, map, manifest FROM bundles WHERE hash = $1',
    [hash],
  );
  if (row === undefined) return null;
  return { code: row.code.toString(), map: row.map?.toString() ?? null, manifest: row.manifest?.toString() ?? null };
}

function bytes(value: string | null): Buffer | null {
  return value === null ? null : Buffer.from(value);
}
