/** A run's row, locked. */
import type { RunStatus } from '../port.ts';
import type { Executor } from './connection.ts';

/** What an append needs to know of a run before it writes. */
export interface RunHead {
  no: number;
  status: RunStatus;
  owner: string | null;
  fence: number;
  cancel_requested: boolean;
  last_seq: number;
}

const head = (more = ''): string => `
  SELECT no, status, owner, fence, cancel_requested,
    (SELECT seq FROM events WHERE run = runs.no ORDER BY seq DESC LIMIT 1) AS last_seq
  FROM runs WHERE id = $1 ${more} FOR NO KEY UPDATE`;

const HEAD = head();

// Parents are locked before their children, everywhere: who ends a run writes to its parent, who cancels one to its children.
const HEAD_AND_PARENT = `
  WITH parent AS MATERIALIZED (
    SELECT no FROM runs WHERE no = (SELECT parent FROM runs WHERE id = $1) FOR NO KEY UPDATE
  ) ${head('AND (SELECT count(*) FROM parent) >= 0')}`;

/**
 * Locks the run until the end of the transaction.
 *
 * @param withParent - the run that waits for it too
 */
export async function lockHead(on: Executor, runId: string, withParent = false): Promise<RunHead | undefined> {
  const [head] = await on.rows<RunHead>(withParent ? HEAD_AND_PARENT : HEAD, [runId]);
  return head;
}
