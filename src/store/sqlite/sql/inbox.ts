import { type MessageRow, toMessage } from '../../message-row.ts';
import type { FinalStatus, InboxMessage } from '../../port.ts';
import type { Connection } from '../connection.ts';

const INSERT_PAYLOAD = `INSERT INTO inbox (run, kind, at, cid, token, data) VALUES (?, 'hook', ?, ?, ?, ?) RETURNING id`;

export function insertPayload(
  db: Connection,
  no: number,
  at: number,
  cid: number,
  token: string,
  payload: string | null,
): number {
  return (db.sql(INSERT_PAYLOAD).get(no, at, cid, token, payload) as { id: number }).id;
}

const INSERT_CANCEL = `INSERT INTO inbox (run, kind, at, data) VALUES (?, 'cancel', ?, ?) RETURNING id`;

export function insertCancel(db: Connection, no: number, at: number, reason: string | null): number {
  return (db.sql(INSERT_CANCEL).get(no, at, reason) as { id: number }).id;
}

const INSERT_UPGRADE = `INSERT INTO inbox (run, kind, at, data) VALUES (?, 'upgrade', ?, ?) RETURNING id`;

export function insertUpgrade(db: Connection, no: number, at: number, bundleHash: string): number {
  return (db.sql(INSERT_UPGRADE).get(no, at, bundleHash) as { id: number }).id;
}

const INSERT_WAKE = `INSERT INTO inbox (run, kind, at, data) VALUES (?, 'wake', ?, ?) RETURNING id`;

export function insertWake(db: Connection, no: number, at: number, cids: string): number {
  return (db.sql(INSERT_WAKE).get(no, at, cids) as { id: number }).id;
}

const INSERT_CHILD_END = `INSERT INTO inbox (run, kind, at, cid, status, data) VALUES (?, 'child', ?, ?, ?, ?)`;

export function insertChildEnd(
  db: Connection,
  no: number,
  at: number,
  cid: number,
  status: FinalStatus,
  data: string | null,
): void {
  db.sql(INSERT_CHILD_END).run(no, at, cid, status, data);
}

const COLUMNS = 'i.id, r.id AS run_id, i.kind, i.at, i.cid, i.token, i.status, i.data';

const SELECT_OF_RUN = `
  SELECT ${COLUMNS} FROM inbox i JOIN runs r ON r.no = i.run
  WHERE i.run = (SELECT no FROM runs WHERE id = ?) AND i.id > ? ORDER BY i.id`;

export function selectMessagesOfRun(db: Connection, runId: string, afterId: number): InboxMessage[] {
  return (db.sql(SELECT_OF_RUN).all(runId, afterId) as unknown as MessageRow[]).map(toMessage);
}

// CROSS JOIN fixes the order: few messages wait, but an owner may have ten thousand runs.
const SELECT_OF_OWNER = `
  SELECT ${COLUMNS} FROM inbox i CROSS JOIN runs r ON r.no = i.run WHERE r.owner = ? AND i.id > ? ORDER BY i.id`;

export function selectMessagesOfOwner(db: Connection, owner: string, afterId: number): InboxMessage[] {
  return (db.sql(SELECT_OF_OWNER).all(owner, afterId) as unknown as MessageRow[]).map(toMessage);
}

const HAS = 'SELECT 1 FROM inbox WHERE id = ? AND run = ?';

export function hasMessage(db: Connection, id: number, no: number): boolean {
  return db.sql(HAS).get(id, no) !== undefined;
}

const DELETE = 'DELETE FROM inbox WHERE id = ?';

export function deleteMessage(db: Connection, id: number): void {
  db.sql(DELETE).run(id);
}
