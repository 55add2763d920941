/**
 * Owners and their runs: who is dead, and who takes over.
 */
import { isGone, ownIdentity } from '../process-identity.ts';
import { StoreError } from '../errors.ts';
import type { ClaimRequest, ClaimRunResult, RunRecord, StoreChange } from '../port.ts';
import type { Connection } from './connection.ts';
import { loseTaken } from './offers.ts';
import { deleteOwner, type OwnerRow, selectOwner, selectOwners } from './sql/owners.ts';
import { claimDueRuns, claimOneRun, releaseRunsOf, selectHead, selectRun } from './sql/runs.ts';

/** Dead owners other than the one that asks (who lives, since it asks). */
export function deadOwners(db: Connection, asking: string, clock: number): string[] {
  return selectOwners(db)
    .filter((owner) => owner.name !== asking && isDead(owner, clock))
    .map((owner) => owner.name);
}

function isDead(owner: OwnerRow, clock: number): boolean {
  return owner.lease_until <= clock || isGone(owner, ownIdentity());
}

export function isAlive(db: Connection, owner: string, clock: number): boolean {
  const row = selectOwner(db, owner);
  return row !== undefined && !isDead(row, clock);
}

/** The owner's row; an owner without one was never registered, or was declared dead. */
export function requireOwner(db: Connection, owner: string): OwnerRow {
  const row = selectOwner(db, owner);
  if (row !== undefined) return row;
  throw new StoreError('PAWL_STORE_OWNER', `'${owner}' is not registered, or was declared dead.`, { place: db.place });
}

/** How many other living owners take steps on offer. */
export function countTakers(db: Connection, asking: string, clock: number): number {
  return selectOwners(db).filter((owner) => owner.takes === 1 && owner.name !== asking && !isDead(owner, clock)).length;
}

/** Takes due runs, those of dead owners too. Inside a transaction. */
export function claimDue(db: Connection, request: ClaimRequest, clock: number, changes: StoreChange[]): RunRecord[] {
  requireOwner(db, request.owner);
  for (const dead of deadOwners(db, request.owner, clock)) removeOwner(db, dead, request.now, changes);
  return claimDueRuns(db, request.owner, request.now, request.limit).map((id) => record(db, id));
}

/** Its runs are anybody's, its steps their runs'; if it lives, it will be told when it asks for more time. */
export function removeOwner(db: Connection, owner: string, at: number, changes: StoreChange[]): void {
  releaseRunsOf(db, owner);
  loseTaken(db, owner, Math.floor(at), changes);
  deleteOwner(db, owner);
}

/** Takes one run; an owner that it is taken from is declared dead. Inside a transaction. */
export function claimOne(
  db: Connection,
  runId: string,
  request: { owner: string; now: number },
  clock: number,
  changes: StoreChange[],
): ClaimRunResult {
  requireOwner(db, request.owner);
  const head = selectHead(db, runId);
  if (head === undefined) return { ok: false, reason: 'unknown-run' };
  const run = record(db, runId);
  if (run.status === 'completed' || run.status === 'failed' || run.status === 'cancelled') {
    return { ok: false, reason: 'finished', run };
  }
  if (head.owner !== null && head.owner !== request.owner) {
    const holder = selectOwner(db, head.owner);
    if (holder !== undefined && !isDead(holder, clock)) return { ok: false, reason: 'owned', owner: head.owner };
    removeOwner(db, head.owner, request.now, changes);
  }
  claimOneRun(db, head.no, request.owner, Math.floor(request.now));
  if (head.status === 'pending') changes.push({ kind: 'status', runId, status: 'running' });
  return { ok: true, run: record(db, runId) };
}

function record(db: Connection, runId: string): RunRecord {
  return selectRun(db, runId) as RunRecord;
}
