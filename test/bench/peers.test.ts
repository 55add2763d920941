import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { measure, noop, type Peer, type Shape } from '../../bench/peers/peer.ts';
import { missed } from '../../bench/report.ts';
import { rowsOf, Session } from '../../bench/runtimes.ts';

/** Does what it is asked, without any durability, and keeps what that was. */
function honest(asked: string[]): Peer {
  return {
    sequential: async (steps) => {
      asked.push(`sequential ${steps}`);
      let sum = 0;
      for (let i = 0; i < steps; i++) sum += await noop(i);
      return sum;
    },
    parallel: async (steps) => {
      asked.push(`parallel ${steps}`);
      return (await Promise.all(Array.from({ length: steps }, (_, i) => noop(i)))).length;
    },
  };
}

const shapes: [shape: Shape, asked: string][] = [
  [{ kind: 'sequential', count: 7 }, 'sequential 7'],
  [{ kind: 'late', count: 300 }, 'sequential 300'],
  [{ kind: 'parallel', count: 7 }, 'parallel 7'],
  [{ kind: 'crowd', count: 7 }, 'sequential 1'],
  [{ kind: 'one', count: 7 }, 'sequential 1'],
];

test.each(shapes)('the figure of %o is of work that was done', async (shape, expected) => {
  const asked: string[] = [];
  const { value } = await measure(honest(asked), shape);
  expect(value).toBeGreaterThan(0);
  expect(new Set(asked)).toEqual(new Set([expected]));
});

test.each(shapes)('a peer that skips its work gets no figure of %o', async (shape) => {
  const lazy: Peer = { sequential: async () => -1, parallel: async () => -1 };
  await expect(measure(lazy, shape)).rejects.toThrow('the run gave -1 where');
});

test('pawl is measured as the peers are: in a process that ends with its session', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-peers-'));
  const session = await Session.open('pawl', folder, process.env.PAWL_TEST_POSTGRES as string);
  onTestFinished(async () => {
    await session.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const limitMs = 30_000;
  expect((await session.ask({ kind: 'sequential', count: 20, limitMs })).value).toBeGreaterThan(0);
  expect((await session.ask({ kind: 'parallel', count: 20, limitMs })).value).toBeGreaterThan(0);
  expect((await session.ask({ kind: 'late', count: 120, limitMs })).note).toMatch(/^[\d.]+ times its 10th$/);
  await expect(session.ask({ kind: 'sequential', count: 1e6, limitMs: 1 })).rejects.toThrow(
    'did not finish within 0.001 s',
  );
  await session.close();
  await expect(session.ask({ kind: 'one', count: 1, limitMs })).rejects.toThrow('ended');
});

test('a peer that does not start says why', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-peers-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const opened = Session.open('nobody' as 'pawl', folder, process.env.PAWL_TEST_POSTGRES as string);
  await expect(opened).rejects.toThrow(/^failed: .*not a function/);
});

describe('how pawl compares', () => {
  type Outcomes = Parameters<typeof rowsOf>[1];
  type Form = Parameters<typeof rowsOf>[0];
  const form = (unit: Form['unit']): Form => ({ kind: 'one', count: 1, what: 'x', unit, limitMs: 1, rounds: 1 });
  const compare = (unit: Form['unit'], figures: Record<string, number | string>) => {
    const rated = form(unit);
    const outcomes: Outcomes = new Map(
      Object.entries(figures).map(([title, figure]) => [
        {
          name: title.startsWith('pawl') ? (title as 'pawl') : 'dbos',
          title,
          own: title.startsWith('pawl'),
          postgres: /postgres/.test(title),
        },
        new Map([[rated, typeof figure === 'string' ? figure : { figures: [{ value: figure }], over: false }]]),
      ]),
    );
    return rowsOf(rated, outcomes).slice(-2);
  };

  test('with the best of the peers, and on PostgreSQL with the best there', () => {
    const rows = compare('ms', { pawl: 2, 'pawl-postgres': 6, 'a, postgres': 12, 'b, postgres': 8, c: 10, d: 5 });
    expect(rows.map(({ value }) => value)).toEqual([0.4, 0.75]);
    expect(rows.map(missed)).toEqual([true, false]);
  });

  test('a rate is better when it is higher', () => {
    const rows = compare('runs/s', { pawl: 1_000, 'pawl-postgres': 200, 'a, postgres': 100, c: 125 });
    expect(rows.map(({ value }) => value)).toEqual([0.125, 0.5]);
  });

  test('who did not finish is not the best, and where nobody did, no ratio is made up', () => {
    const late = 'did not finish within 60 s';
    const rows = compare('ms', { pawl: 2, 'pawl-postgres': 6, 'a, postgres': late, c: 10 });
    expect(rows.map(({ value }) => value)).toEqual([0.2, 'none of them finished']);
    expect(rows.map(missed)).toEqual([false, false]);
    expect(compare('ms', { pawl: late, 'pawl-postgres': 6, 'a, postgres': 12 }).map(missed)).toEqual([true, false]);
  });
});
