/**
 * Real kills: a process that writes is killed by SIGKILL at random instants, many times, on one file. Whatever it had
 * acknowledged is there, every log is whole, and the next process takes over at once.
 */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import type { EventStore } from '../../src/store/port.ts';
import { spawnChild } from './support/spawn.ts';
import { temporaryDirectory } from './support/temporary.ts';

const ROUNDS = 25;

/** The last acknowledged number of each run, by kind of line. */
function acknowledged(lines: readonly string[], kind: string): Map<string, number> {
  const last = new Map<string, number>();
  for (const line of lines) {
    const [word, id, number] = line.split(' ');
    if (word === kind && id !== undefined) last.set(id, Number(number ?? 0));
  }
  return last;
}

async function expectKept(store: EventStore, lines: readonly string[]): Promise<void> {
  for (const id of acknowledged(lines, 'created').keys()) {
    // Reading checks sums and numbers.
    const events = await store.readEvents(id);
    expect(events.length).toBeGreaterThanOrEqual(acknowledged(lines, 'appended').get(id) ?? 1);
    for (const event of events.slice(2)) {
      expect(event.data).toMatch(new RegExp(`^${id} ${event.cid} x+$`));
      expect(event.type).toBe(event.seq % 2 === 1 ? 'step_scheduled' : 'step_completed');
    }
    // An activation is in the log as a whole or not at all.
    expect(events.length % 2 === 0 || events.length === 1).toBe(true);
    const payloads = (await store.readInbox({ runId: id })).map((message) =>
      message.kind === 'hook' ? message.payload : '',
    );
    expect(payloads.length).toBeGreaterThanOrEqual(acknowledged(lines, 'delivered').get(id) ?? 0);
    expect(payloads).toEqual(payloads.map((_, index) => `payload ${index + 1}`));
  }
}

test('a killed process loses nothing that it acknowledged', { timeout: 120_000 }, async () => {
  const url = `sqlite:${join(temporaryDirectory(), 'pawl.db')}`;
  const all: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const child = spawnChild('write', url, `w${round}`);
    await child.printed(1 + Math.floor(Math.random() * 300));
    child.process.kill('SIGKILL');
    const end = await child.ended;
    expect(end).toMatchObject({ signal: 'SIGKILL', errors: '' });
    all.push(...child.lines);

    const store = await openStore(url);
    await expectKept(store, child.lines);
    // The dead process has an hour of lease left; it is known to be dead all the same.
    await store.registerOwner('successor', 3_600_000);
    const claimed = await store.claim({ owner: 'successor', now: 10, limit: 1_000 });
    const created = acknowledged(child.lines, 'created').keys();
    expect(claimed.map((run) => run.id)).toEqual(expect.arrayContaining([...created]));
    await store.close();
  }
  const store = await openStore(url);
  await expectKept(store, all);
  await store.close();
});
