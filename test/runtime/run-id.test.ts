import { expect, test } from 'vitest';
import { newRunId, newSeed } from '../../src/runtime/run-id.ts';

test('seeds are 256 bits, all different, and none is made of what was wiped', () => {
  const seeds = Array.from({ length: 1_000 }, newSeed);
  expect(new Set(seeds).size).toBe(seeds.length);
  for (const seed of seeds) {
    const bytes = Buffer.from(seed, 'base64url');
    expect(bytes).toHaveLength(32);
    expect(bytes.filter((byte) => byte === 0).length).toBeLessThan(8);
  }
});

test('ids sort by time, and differ within one millisecond', () => {
  const ids = Array.from({ length: 1_000 }, (_, n) => newRunId(1_767_225_600_000 + Math.floor(n / 500)));
  expect(new Set(ids).size).toBe(ids.length);
  const times = ids.map((id) => id.slice(0, 10));
  expect(times).toEqual([...times].sort());
  expect(new Set(times).size).toBe(2);
});
