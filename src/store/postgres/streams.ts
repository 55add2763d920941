/** Streams: chunks beside the log, numbered without gaps. */
import { pageOf, requireStorableChunks, sizeOf } from '../chunk.ts';
import { StoreError } from '../errors.ts';
import type {
  AppendChunksRequest,
  AppendChunksResult,
  Chunk,
  ReadChunksOptions,
  RunStatus,
  StoreChange,
  StreamPage,
  StreamRecord,
} from '../port.ts';
import { isFinal } from '../refusals.ts';
import { holdsOffer } from './offers.ts';
import { holdsLease } from './ownership.ts';
import { isStorable } from '../text.ts';
import type { Executor } from './connection.ts';

// Parents before children, as everywhere: a child's number is the larger one.
const LOCK_RUNS = 'SELECT no, id, status, owner, fence FROM runs WHERE id = ANY ($1::text[]) ORDER BY no FOR SHARE';

interface Head {
  no: number;
  id: string;
  status: RunStatus;
  owner: string | null;
  fence: number;
}

// Updates what is there to lock it: of two that write at once, one sees what the other wrote.
const LOCK_STREAM = `
  INSERT INTO streams (run, name) VALUES ($1, $2) ON CONFLICT (run, name) DO UPDATE SET name = excluded.name
  RETURNING no, chunks, closed_by`;

const INSERT_CHUNKS = `
  INSERT INTO chunks (stream, index, size, value, bytes)
  SELECT $1, $2::bigint + place - 1, size, value, bytes
  FROM unnest($3::int[], $4::text[], $5::bytea[]) WITH ORDINALITY AS c (size, value, bytes, place)`;

const GROW_STREAM = 'UPDATE streams SET chunks = $2, size = size + $3, closed_by = $4 WHERE no = $1';

export async function appendChunks(
  on: Executor,
  { runId, stream: name, writer, chunks, close = false }: AppendChunksRequest,
  changes: StoreChange[],
): Promise<AppendChunksResult> {
  requireStorableChunks(name, writer.by, chunks);
  // Owners before runs, as where one is declared dead.
  const isKnown = 'owner' in writer && (await holdsLease(on, writer.owner));
  const ids = [...new Set([runId, writer.runId])].filter(isStorable);
  const heads = await on.rows<Head>(LOCK_RUNS, [ids]);
  const run = heads.find(({ id }) => id === runId);
  const writing = heads.find(({ id }) => id === writer.runId);
  if (run === undefined || writing === undefined) return { ok: false, reason: 'unknown-run' };
  if (isFinal(run.status)) return { ok: false, reason: 'finished', status: run.status };
  const allowed =
    'owner' in writer
      ? isKnown
      : 'offer' in writer
        ? await holdsOffer(on, writing.no, writer.offer)
        : writing.fence === writer.fence && writing.owner !== null;
  if (!allowed) return { ok: false, reason: 'fenced' };
  const nothing = chunks.length === 0 && !close;
  const stream = await (nothing ? selectStream(on, run.no, name) : lockStream(on, run.no, name));
  if (stream && stream.closed_by !== null) return { ok: false, reason: 'closed', by: stream.closed_by };
  if (nothing || stream === undefined) return { ok: true, count: stream?.chunks ?? 0 };
  const sizes = chunks.map(sizeOf);
  if (chunks.length > 0) {
    const texts = chunks.map((chunk) => (typeof chunk === 'string' ? chunk : null));
    const bytes = chunks.map((chunk) => (typeof chunk === 'string' ? null : bufferOf(chunk)));
    await on.rows(INSERT_CHUNKS, [stream.no, stream.chunks, sizes, texts, bytes]);
  }
  const count = stream.chunks + chunks.length;
  const size = sizes.reduce((sum, each) => sum + each, 0);
  await on.rows(GROW_STREAM, [stream.no, count, size, close ? writer.by : null]);
  changes.push({ kind: 'chunks', runId, stream: name });
  return { ok: true, count };
}

interface StreamRow {
  no: number;
  chunks: number;
  closed_by: string | null;
}

async function lockStream(on: Executor, run: number, name: string): Promise<StreamRow | undefined> {
  return (await on.rows<StreamRow>(LOCK_STREAM, [run, name]))[0];
}

async function selectStream(on: Executor, run: number, name: string): Promise<StreamRow | undefined> {
  const statement = 'SELECT no, chunks, closed_by FROM streams WHERE run = $1 AND name = $2';
  return (await on.rows<StreamRow>(statement, [run, name]))[0];
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

// In one statement, and so of one moment.
const SELECT_STATE = `
  SELECT r.status, s.no, s.chunks, s.closed_by FROM runs r LEFT JOIN streams s ON s.run = r.no AND s.name = $2
  WHERE r.id = $1`;

const SELECT_PAGE = `
  SELECT c.index, c.value, c.bytes FROM chunks c JOIN (
    SELECT index, sum(size) OVER (ORDER BY index) - size AS before FROM (
      SELECT index, size FROM chunks WHERE stream = $1 AND index >= $2 ORDER BY index LIMIT $3
    ) AS near
  ) AS measured ON c.stream = $1 AND c.index = measured.index
  WHERE measured.before < $4 OR c.index = $2 ORDER BY c.index`;

export async function readChunks(
  on: Executor,
  place: string,
  runId: string,
  name: string,
  options: ReadChunksOptions,
): Promise<StreamPage | null> {
  interface State {
    status: RunStatus;
    no: number | null;
    chunks: number;
    closed_by: string | null;
  }
  const [state] = await on.rows<State>(SELECT_STATE, [runId, name]);
  if (state === undefined) return null;
  const count = state.no === null ? 0 : state.chunks;
  const ended = isFinal(state.status) || state.closed_by !== null;
  const { from, limit, bytes } = pageOf(options, count);
  if (state.no === null || from >= count) return { from, chunks: [], count, ended };
  // What has come since is no part of the picture.
  const wanted = Math.min(limit, count - from);
  const rows = await on.rows<{ index: number; value: string | null; bytes: Buffer | null }>(SELECT_PAGE, [
    state.no,
    from,
    wanted,
    bytes,
  ]);
  const chunks = rows.map((row, offset): Chunk => {
    if (row.index !== from + offset) throw missing(place, runId, name, from + offset);
    // A copy: a row's bytes are a part of all that the server sent with it.
    return row.value ?? new Uint8Array(row.bytes ?? []);
  });
  if (chunks.length === 0) throw missing(place, runId, name, from);
  return { from, chunks, count, ended };
}

function missing(place: string, runId: string, name: string, index: number): StoreError {
  return new StoreError('PAWL_STORE_CORRUPT', 'A chunk of the stream is missing.', {
    place: `${place}, run ${runId}, stream ${name}, chunk ${index}`,
  });
}

export function selectStreams(on: Executor, runId: string): Promise<StreamRecord[]> {
  return on.rows<StreamRecord>(
    `SELECT name, chunks, size, closed_by IS NOT NULL AS closed FROM streams
     WHERE run = (SELECT no FROM runs WHERE id = $1) ORDER BY name COLLATE "C"`,
    [runId],
  );
}
