/** What stores agree on about chunks. */
import type { Chunk, ReadChunksOptions } from './port.ts';
import { requireStorable } from './text.ts';

const PAGE_CHUNKS = 256;
const PAGE_BYTES = 1 << 20;

export function sizeOf(chunk: Chunk): number {
  return typeof chunk === 'string' ? chunk.length : chunk.byteLength;
}

/** @throws StoreError `PAWL_STORE_MISUSE` */
export function requireStorableChunks(stream: string, by: string, chunks: readonly Chunk[]): void {
  requireStorable('name of the stream', stream, by);
  for (const chunk of chunks) if (typeof chunk === 'string') requireStorable('chunk', chunk);
}

/** Where a page begins, and how much it holds at most. */
export function pageOf(
  { from = 0, limit = PAGE_CHUNKS, bytes = PAGE_BYTES }: ReadChunksOptions,
  count: number,
): { from: number; limit: number; bytes: number } {
  return { from: from < 0 ? Math.max(0, count + from) : from, limit: Math.max(1, limit), bytes };
}
