import { randomFillSync } from 'node:crypto';
import { ulid } from 'ulid';

const pool = new Uint32Array(1024);
let left = 0;

/** Random numbers from a pool: the library's own source asks the system for each letter, 80 µs an id. */
function random(): number {
  if (left === 0) {
    randomFillSync(pool);
    left = pool.length;
  }
  return (pool[--left] as number) / 2 ** 32;
}

/** An id that sorts by time. */
export function newRunId(now: number): string {
  return ulid(now, random);
}

const SEED_BYTES = 32;
const seeds = Buffer.alloc(64 * SEED_BYTES);
let next = seeds.length;

/**
 * A seed: 256 random bits. The generators of a run keep 128 of them, so what they give does not tell the seed, from which tokens of
 * webhooks are made.
 */
export function newSeed(): string {
  if (next === seeds.length) {
    randomFillSync(seeds);
    next = 0;
  }
  const end = next + SEED_BYTES;
  const seed = seeds.toString('base64url', next, end);
  // What was given out is a secret of the run.
  seeds.fill(0, next, end);
  next = end;
  return seed;
}
