/** Owners and their runs: who is dead, and who takes over. */
import { isGone, ownIdentity, type ProcessIdentity } from '../process-identity.ts';
import { StoreError } from '../errors.ts';
import type { ClaimRequest, ClaimRunResult, RunRecord, StoreChange } from '../port.ts';
import { lockHead } from './head.ts';
import { isFinal } from '../refusals.ts';
import type { Executor } from './connection.ts';
import { loseTaken } from './offers.ts';
import { selectRun, selectRunsById } from './records.ts';

interface OwnerRow extends ProcessIdentity {
  name: string;
  lease_until: number;
  takes: boolean;
}

/** The time by which leases are measured: the server's, which all machines share; or one that a test makes. */
export type LeaseClock = (on: Executor) => Promise<number>;

export async function serverTime(on: Executor): Promise<number> {
  const [row] = await on.rows<{ now: number }>('SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now');
  return row?.now ?? 0;
}

function isDead(owner: OwnerRow, now: number): boolean {
  return owner.lease_until <= now || isGone(owner, ownIdentity());
}

const UPSERT = `
  INSERT INTO owners (name, host, boot, space, pid, started, lease_until, takes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
  ON CONFLICT (name) DO UPDATE SET host = excluded.host, boot = excluded.boot, space = excluded.space,
    pid = excluded.pid, started = excluded.started, lease_until = excluded.lease_until, takes = excluded.takes`;

export async function registerOwner(on: Executor, name: string, leaseUntil: number, takes: boolean): Promise<void> {
  const { host, boot, space, pid, started } = ownIdentity();
  await on.rows(UPSERT, [name, host, boot, space, pid, started, leaseUntil, takes]);
}

/** False when there is no such owner. */
export async function renewOwner(on: Executor, name: string, leaseUntil: number): Promise<boolean> {
  const rows = await on.rows('UPDATE owners SET lease_until = $2 WHERE name = $1 RETURNING 1', [name, leaseUntil]);
  return rows.length > 0;
}

export async function removeOwner(on: Executor, name: string, changes: StoreChange[]): Promise<string[]> {
  await on.rows('DELETE FROM owners WHERE name = $1', [name]);
  await loseTaken(on, name, Date.now(), changes);
  const rows = await on.rows<{ id: string }>('UPDATE runs SET owner = NULL WHERE owner = $1 RETURNING id', [name]);
  return rows.map(({ id }) => id);
}

/** The lease of an owner; one without was never registered, or was declared dead. Keeps it from that until the end. */
export async function leaseOf(on: Executor, place: string, owner: string): Promise<number> {
  const [row] = await on.rows<{ lease_until: number }>('SELECT lease_until FROM owners WHERE name = $1 FOR KEY SHARE', [
    owner,
  ]);
  if (row) return row.lease_until;
  throw notRegistered(place, owner);
}

export function notRegistered(place: string, owner: string): StoreError {
  return new StoreError('PAWL_STORE_OWNER', `'${owner}' is not registered, or was declared dead.`, { place });
}

/** Whether there is such an owner; keeps it from being declared dead until the end. */
export async function holdsLease(on: Executor, owner: string): Promise<boolean> {
  return (await on.rows('SELECT 1 FROM owners WHERE name = $1 FOR KEY SHARE', [owner])).length > 0;
}

export async function isAlive(on: Executor, owner: string, now: number): Promise<boolean> {
  const [row] = await on.rows<OwnerRow>('SELECT * FROM owners WHERE name = $1', [owner]);
  return row !== undefined && !isDead(row, now);
}

/** Dead owners other than the one that asks (who lives, since it asks). */
export async function deadOwners(on: Executor, asking: string, now: number): Promise<OwnerRow[]> {
  const owners = await on.rows<OwnerRow>('SELECT * FROM owners WHERE name <> $1', [asking]);
  return owners.filter((owner) => isDead(owner, now));
}

/** How many other living owners take steps on offer. */
export async function countTakers(on: Executor, asking: string, now: number): Promise<number> {
  const owners = await on.rows<OwnerRow>('SELECT * FROM owners WHERE takes AND name <> $1', [asking]);
  return owners.filter((owner) => !isDead(owner, now)).length;
}

const HAS_DUE = 'SELECT 1 FROM runs WHERE owner IS NULL AND due_at IS NOT NULL AND due_at <= $1 LIMIT 1';

export async function hasDueRun(on: Executor, now: number): Promise<boolean> {
  return (await on.rows(HAS_DUE, [Math.floor(now)])).length > 0;
}

const CLAIMED = `owner = $1, fence = fence + 1, started_at = coalesce(started_at, $2),
  status = CASE status WHEN 'pending' THEN 'running' ELSE status END`;

// What another worker takes at this moment is passed over.
const CLAIM_DUE = `
  UPDATE runs SET ${CLAIMED}
  WHERE no IN (SELECT no FROM runs WHERE owner IS NULL AND due_at IS NOT NULL AND due_at <= $2 ORDER BY due_at, no LIMIT $3
    FOR UPDATE SKIP LOCKED)
  RETURNING id, due_at AS due, no`;

/** Takes due runs, those of dead owners too. Inside a transaction. */
export async function claimDue(
  on: Executor,
  place: string,
  { owner, now, limit }: ClaimRequest,
  time: number,
  changes: StoreChange[],
): Promise<RunRecord[]> {
  await leaseOf(on, place, owner);
  for (const dead of await deadOwners(on, owner, time)) await bury(on, dead, now, changes);
  const rows = await on.rows<{ id: string; due: number; no: number }>(CLAIM_DUE, [owner, Math.floor(now), limit]);
  const ids = rows.sort((a, b) => a.due - b.due || a.no - b.no).map(({ id }) => id);
  return selectRunsById(on, ids);
}

/**
 * Its runs are anybody's, its steps their runs', and it will be told when it asks for more time; unless it has renewed its lease
 * meanwhile.
 */
async function bury(
  on: Executor,
  { name, lease_until: until }: OwnerRow,
  at: number,
  changes: StoreChange[],
): Promise<void> {
  const rows = await on.rows('DELETE FROM owners WHERE name = $1 AND lease_until = $2 RETURNING 1', [name, until]);
  if (rows.length === 0) return;
  await loseTaken(on, name, at, changes);
  await on.rows('UPDATE runs SET owner = NULL WHERE owner = $1', [name]);
}

const SELECT_HOLDER = 'SELECT owners.* FROM owners JOIN runs ON runs.owner = owners.name WHERE runs.id = $1';

/** Takes one run; an owner that it is taken from is declared dead. Inside a transaction. */
export async function claimOne(
  on: Executor,
  place: string,
  runId: string,
  request: { owner: string; now: number },
  time: number,
  changes: StoreChange[],
): Promise<ClaimRunResult> {
  await leaseOf(on, place, request.owner);
  // Owners are locked before runs, everywhere.
  const [holder] = await on.rows<OwnerRow>(SELECT_HOLDER, [runId]);
  if (holder !== undefined && holder.name !== request.owner && isDead(holder, time))
    await bury(on, holder, request.now, changes);
  const head = await lockHead(on, runId);
  if (head === undefined) return { ok: false, reason: 'unknown-run' };
  if (isFinal(head.status)) return { ok: false, reason: 'finished', run: (await selectRun(on, runId)) as RunRecord };
  if (head.owner !== null && head.owner !== request.owner) return { ok: false, reason: 'owned', owner: head.owner };
  await on.rows(`UPDATE runs SET ${CLAIMED} WHERE no = $3`, [request.owner, Math.floor(request.now), head.no]);
  if (head.status === 'pending') changes.push({ kind: 'status', runId, status: 'running' });
  return { ok: true, run: (await selectRun(on, runId)) as RunRecord };
}
