import type { ProcessIdentity } from '../../process-identity.ts';
import type { Connection } from '../connection.ts';

export interface OwnerRow extends ProcessIdentity {
  name: string;
  lease_until: number;
  /** 1 when it takes steps on offer. */
  takes: number;
}

const UPSERT = `
  INSERT INTO owners (name, host, boot, space, pid, started, lease_until, takes) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (name) DO UPDATE SET host = excluded.host, boot = excluded.boot, space = excluded.space,
    pid = excluded.pid, started = excluded.started, lease_until = excluded.lease_until, takes = excluded.takes`;

export function upsertOwner(
  db: Connection,
  name: string,
  who: ProcessIdentity,
  leaseUntil: number,
  takes: boolean,
): void {
  db.sql(UPSERT).run(name, who.host, who.boot, who.space, who.pid, who.started, leaseUntil, takes ? 1 : 0);
}

const RENEW = 'UPDATE owners SET lease_until = ? WHERE name = ?';

/** False when there is no such owner. */
export function renewLease(db: Connection, name: string, leaseUntil: number): boolean {
  return Number(db.sql(RENEW).run(leaseUntil, name).changes) > 0;
}

const SELECT_ONE = 'SELECT * FROM owners WHERE name = ?';

export function selectOwner(db: Connection, name: string): OwnerRow | undefined {
  return db.sql(SELECT_ONE).get(name) as OwnerRow | undefined;
}

const SELECT = 'SELECT * FROM owners';

export function selectOwners(db: Connection): OwnerRow[] {
  return db.sql(SELECT).all() as OwnerRow[];
}

const DELETE = 'DELETE FROM owners WHERE name = ?';

export function deleteOwner(db: Connection, name: string): void {
  db.sql(DELETE).run(name);
}
