/** Streams: chunks beside the log, numbered without gaps, and checked as events are. */
import { crc32 } from 'node:zlib';
import { pageOf, requireStorableChunks, sizeOf } from '../chunk.ts';
import { StoreError } from '../errors.ts';
import type {
  AppendChunksRequest,
  AppendChunksResult,
  Chunk,
  ChunkWriter,
  ReadChunksOptions,
  RunStatus,
  StoreChange,
  StreamPage,
  StreamRecord,
} from '../port.ts';
import { isFinal } from '../refusals.ts';
import type { Connection } from './connection.ts';
import { chunkId, MAX_INDEX } from './migrations.ts';
import { isTakenBy } from './offers.ts';
import { selectOwner } from './sql/owners.ts';
import { type RunHead, selectHead } from './sql/runs.ts';

interface StreamRow {
  no: number;
  chunks: number;
  closed_by: string | null;
}

export function appendChunks(
  db: Connection,
  { runId, stream: name, writer, chunks, close = false }: AppendChunksRequest,
  changes: StoreChange[],
): AppendChunksResult {
  requireStorableChunks(name, writer.by, chunks);
  const run = selectHead(db, runId);
  const writing = writer.runId === runId ? run : selectHead(db, writer.runId);
  if (run === undefined || writing === undefined) return { ok: false, reason: 'unknown-run' };
  if (isFinal(run.status)) return { ok: false, reason: 'finished', status: run.status };
  if (!mayWrite(db, writing, writer)) return { ok: false, reason: 'fenced' };
  const known = selectStream(db, run.no, name);
  if (known && known.closed_by !== null) return { ok: false, reason: 'closed', by: known.closed_by };
  if (chunks.length === 0 && !close) return { ok: true, count: known?.chunks ?? 0 };
  const stream = known ?? insertStream(db, run.no, name);
  let count = stream.chunks;
  let size = 0;
  for (const chunk of chunks) {
    insertChunk(db, stream.no, runId, name, count++, chunk);
    size += sizeOf(chunk);
  }
  growStream(db, stream.no, count, size, close ? writer.by : null);
  changes.push({ kind: 'chunks', runId, stream: name });
  return { ok: true, count };
}

function mayWrite(db: Connection, run: RunHead, writer: ChunkWriter): boolean {
  if ('owner' in writer) return selectOwner(db, writer.owner) !== undefined;
  if ('offer' in writer) return isTakenBy(db, run.no, writer.offer);
  return run.fence === writer.fence && run.owner !== null;
}

const SELECT_STREAM = 'SELECT no, chunks, closed_by FROM streams WHERE run = ? AND name = ?';

function selectStream(db: Connection, run: number, name: string): StreamRow | undefined {
  return db.sql(SELECT_STREAM).get(run, name) as StreamRow | undefined;
}

const INSERT_STREAM =
  'INSERT INTO streams (run, name, chunks, size) VALUES (?, ?, 0, 0) RETURNING no, chunks, closed_by';

function insertStream(db: Connection, run: number, name: string): StreamRow {
  return db.sql(INSERT_STREAM).get(run, name) as StreamRow;
}

const GROW_STREAM = 'UPDATE streams SET chunks = ?, size = size + ?, closed_by = ? WHERE no = ?';

function growStream(db: Connection, no: number, count: number, size: number, closedBy: string | null): void {
  db.sql(GROW_STREAM).run(count, size, closedBy, no);
}

const INSERT_CHUNK = `INSERT INTO chunks (id, size, sum, value, bytes) VALUES (${chunkId('?', '?')}, ?, ?, ?, ?)`;

function insertChunk(db: Connection, no: number, runId: string, name: string, index: number, chunk: Chunk): void {
  if (index > MAX_INDEX) {
    throw new StoreError(
      'PAWL_STORE_STREAM_TOO_LONG',
      `The stream has ${MAX_INDEX + 1} chunks; the store holds no more of one stream.`,
      { place: `run ${runId}, stream ${name}` },
    );
  }
  const text = typeof chunk === 'string' ? chunk : null;
  const bytes = typeof chunk === 'string' ? null : chunk;
  db.sql(INSERT_CHUNK).run(no, index, sizeOf(chunk), sumOf(runId, name, index, chunk), text, bytes);
}

/** Covers what the chunk holds, and where it stands. */
function sumOf(runId: string, name: string, index: number, chunk: Chunk): number {
  const place = crc32(`${runId}\n${name}\n${index}\n${typeof chunk}\n`);
  // Of no bytes zlib makes 0, whatever came before.
  return sizeOf(chunk) === 0 ? place : crc32(chunk, place);
}

const SELECT_RUN = 'SELECT no, status FROM runs WHERE id = ?';
const SELECT_SIZES = `SELECT size FROM chunks WHERE id BETWEEN (${chunkId('?1', '?2')}) AND (${chunkId('?1', '?3')}) ORDER BY id`;
const SELECT_CHUNKS = `SELECT value, bytes, sum FROM chunks WHERE id BETWEEN (${chunkId('?1', '?2')}) AND (${chunkId('?1', '?3')}) ORDER BY id`;

export function readChunks(db: Connection, runId: string, name: string, options: ReadChunksOptions): StreamPage | null {
  // The run first: nothing is written to it after it has ended, so what is read then is all.
  const run = db.sql(SELECT_RUN).get(runId) as { no: number; status: RunStatus } | undefined;
  if (run === undefined) return null;
  const stream = selectStream(db, run.no, name);
  const count = stream?.chunks ?? 0;
  const ended = isFinal(run.status) || (stream?.closed_by ?? null) !== null;
  const { from, limit, bytes } = pageOf(options, count);
  if (stream === undefined || from >= count) return { from, chunks: [], count, ended };
  const last = Math.min(count, from + limit) - 1;
  const sizes = db.sql(SELECT_SIZES).all(stream.no, from, last) as { size: number }[];
  let total = 0;
  let wanted = 0;
  while (wanted < sizes.length && (wanted === 0 || total < bytes)) total += (sizes[wanted++] as { size: number }).size;
  const rows = wanted === 0 ? [] : db.sql(SELECT_CHUNKS).all(stream.no, from, from + wanted - 1);
  const chunks = (rows as { value: string | null; bytes: Uint8Array | null; sum: number }[]).map((row, offset) => {
    // No bytes at all are bound as NULL.
    const chunk = row.value ?? row.bytes ?? new Uint8Array(0);
    if (row.sum === sumOf(runId, name, from + offset, chunk)) return chunk;
    throw damaged(db, runId, name, from + offset, 'is damaged: its checksum does not agree with its content');
  });
  if (wanted === sizes.length && wanted <= last - from) throw damaged(db, runId, name, from + wanted, 'is missing');
  return { from, chunks, count, ended };
}

function damaged(db: Connection, runId: string, name: string, index: number, what: string): StoreError {
  return new StoreError('PAWL_STORE_CORRUPT', `A chunk of the stream ${what}.`, {
    place: `${db.place}, run ${runId}, stream ${name}, chunk ${index}`,
  });
}

const SELECT_STREAMS = `
  SELECT name, chunks, size, closed_by IS NOT NULL AS closed FROM streams
  WHERE run = (SELECT no FROM runs WHERE id = ?) ORDER BY name`;

export function selectStreams(db: Connection, runId: string): StreamRecord[] {
  const rows = db.sql(SELECT_STREAMS).all(runId) as (Omit<StreamRecord, 'closed'> & { closed: number })[];
  return rows.map(({ name, chunks, size, closed }) => ({ name, chunks, size, closed: closed === 1 }));
}
