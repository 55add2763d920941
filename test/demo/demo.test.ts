/**
 * The demo as a user runs it, killed at several points. What it claims is checked here from the ledger and the event log alone.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openStore } from 'pawl/runtime';
import { afterAll, describe, expect, test } from 'vitest';
import type { LedgerLine } from '../../fixtures/apps/orders/src/shop/ledger.ts';
import { ROOT } from '../support/dist.ts';

mkdirSync(join(ROOT, '.cache'), { recursive: true });
// Inside the project: the step bundle imports packages from where it stands.
const base = mkdtempSync(join(ROOT, '.cache/demo-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

const demo = async (name: string, ...args: string[]) => {
  const out = join(base, name);
  const argv = [
    join(ROOT, 'scripts/run-ts.mjs'),
    join(ROOT, 'fixtures/apps/orders/demo.ts'),
    '--out',
    out,
    '--pause',
    '5',
  ];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [...argv, ...args], { timeout: 90_000 });
  return { out, stdout, stderr };
};

interface Result {
  run: string;
  cid: number;
  attempt: number;
}

/** Results of steps that the log holds, and how the runs ended. Checks that every log is whole. */
async function readStore(out: string): Promise<{ results: Result[]; statuses: string[] }> {
  const store = await openStore(`sqlite:${join(out, 'pawl.db')}`);
  const { runs } = await store.listRuns({ limit: 1000 });
  const results: Result[] = [];
  for (const { id: run } of runs) {
    const events = await store.readEvents(run);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(events.filter(({ type }) => type === 'run_completed')).toHaveLength(1);
    for (const event of events) {
      if (event.type !== 'step_completed' && event.type !== 'step_failed') continue;
      results.push({ run, cid: event.cid, attempt: event.attempt });
    }
  }
  await store.close();
  return { results, statuses: runs.map(({ status }) => status) };
}

describe.each([
  ['at the first steps', '2'],
  ['again and again, in the middle and near the end', '20,50,80,110,130'],
])('killed %s', (name, killAfter) => {
  test('every order is fulfilled, and no finished step runs again', { timeout: 100_000 }, async () => {
    const { out, stdout } = await demo(name.replaceAll(/\W+/g, '-'), '--json', '--no-check', '--kill-after', killAfter);
    const report = JSON.parse(stdout);
    const kills = killAfter.split(',').length;
    expect(report.kills).toBe(kills);
    expect(report.proofs).toHaveLength(kills);
    for (const { repeated, unseen, finished } of report.proofs) {
      expect({ repeated, unseen }).toEqual({ repeated: [], unseen: [] });
      expect(finished).toBeGreaterThan(100);
    }

    const { results, statuses } = await readStore(out);
    expect(statuses).toEqual(Array.from({ length: 36 }, () => 'completed'));
    expect(new Set(results.map(({ run, cid }) => `${run} ${cid}`)).size).toBe(results.length);

    const lines = readFileSync(join(out, 'ledger.jsonl'), 'utf8').trim().split('\n');
    const ledger = lines.map((line) => JSON.parse(line) as LedgerLine);
    expect(new Set(ledger.map(({ pid }) => pid)).size).toBe(kills + 1);
    for (const { run, cid, attempt } of results) {
      const own = ledger.filter(({ key }) => key === `${run}-${cid}`);
      // The attempt whose result is recorded ended once, and nothing of the step follows it.
      const ends = own.flatMap(({ event, attempt: number }, index) =>
        event !== 'began' && number === attempt ? [index] : [],
      );
      expect(ends).toEqual([own.length - 1]);
      // No attempt began twice.
      const began = own.flatMap(({ event, attempt: number }) => (event === 'began' ? [number] : []));
      expect(new Set(began).size).toBe(began.length);
    }
  });
});

test('it tells what it did, legibly', { timeout: 100_000 }, async () => {
  const { stdout, stderr } = await demo('text');
  expect(stderr).toBe('');
  expect(stdout).toMatch(/check +no findings/);
  expect(stdout).toMatch(/build +12 steps of 2 workflows/);
  expect(stdout).toMatch(/SIGKILL to worker \d+: \d+ runs complete, \d+ cut short/);
  expect(stdout).toMatch(/resume +worker \d+: all 36 runs complete/);
  expect(stdout).toMatch(/A-1006 {2}shipped .*reserve-stock · charge-card · ship-parcel ×\d/);
  expect(stdout).toMatch(/steps had finished at the kill: none of them ran again/);
  expect(stdout).toMatch(/all of them in the ledger/);
  expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThan(140);
});
