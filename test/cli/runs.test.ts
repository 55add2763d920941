import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createCodec } from '../../src/runtime/serialization/codec.ts';
import type { NewRunEvent } from '../../src/store/events.ts';
import { openStore } from '../../src/store/open.ts';
import type { EventStore } from '../../src/store/port.ts';
import { runCli } from '../support/cli.ts';

const codec = createCodec({ step: String, workflow: String, class: () => undefined });
const data = (value: unknown): string => codec.stringify(value, { root: 'value', what: 'a test' });

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'pawl-runs-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const cli = (...argv: string[]) => runCli(argv, { cwd: root });

async function withStore(work: (store: EventStore) => Promise<void>): Promise<void> {
  const store = await openStore(`sqlite:${join(root, '.pawl/pawl.db')}`);
  await store.registerOwner('test', 60_000);
  await work(store);
  await store.close();
}

async function addRun(
  store: EventStore,
  id: string,
  at: number,
  events: NewRunEvent[],
  workflowId = 'src/a.ts#fulfil',
) {
  const request = { id, workflowId, seed: 's', bundleHash: null, input: data([{ id: 7 }]), at, owner: 'test' };
  await store.createRun(request);
  const result = await store.append({ runId: id, fence: 1, afterSeq: 1, events });
  expect(result).toMatchObject({ ok: true });
}

/** A run with a retried step, a step whose process died, a sleep and a failure. */
const EVENTFUL: NewRunEvent[] = [
  { type: 'step_scheduled', at: 1_000, cid: 1, name: 'src/a.ts#charge', data: data([7]) },
  { type: 'step_scheduled', at: 1_000, cid: 2, name: 'src/a.ts#fulfil/pack', data: data([]) },
  {
    type: 'step_attempt_failed',
    at: 1_020,
    cid: 1,
    attempt: 1,
    data: data(new TypeError('no answer')),
    meta: { retryAt: 1_120, startedAt: 1_001 },
  },
  { type: 'step_started', at: 1_120, cid: 1, attempt: 2, meta: { reason: 'retry' } },
  { type: 'step_completed', at: 1_150, cid: 1, attempt: 2, data: data({ paid: true }), meta: { startedAt: 1_120 } },
  { type: 'step_started', at: 5_000, cid: 2, attempt: 2, meta: { reason: 'recovered' } },
  { type: 'step_failed', at: 5_010, cid: 2, attempt: 2, data: data(new Error('out of boxes')), meta: null },
  { type: 'sleep_scheduled', at: 5_010, cid: 3, meta: { until: 8_010 } },
  { type: 'sleep_completed', at: 8_010, cid: 3 },
  { type: 'run_failed', at: 8_020, data: data(new Error('gave up')) },
];

test('the store is what the command line says, else what PAWL_STORE says, else what the configuration says', async () => {
  for (const name of ['told', 'environment', 'configured', '.pawl/pawl']) {
    const store = await openStore(`sqlite:${join(root, `${name}.db`)}`);
    await store.registerOwner('test', 60_000);
    await addRun(store, `in ${name}`, 1_000, []);
    await store.close();
  }
  const ids = async (env: Record<string, string>, ...argv: string[]): Promise<unknown[]> => {
    const { stdout } = await runCli(['runs', '--json', ...argv], { cwd: root, env });
    return (JSON.parse(stdout) as { id: string }[]).map(({ id }) => id);
  };
  const environment = { PAWL_STORE: 'sqlite:environment.db' };
  expect(await ids(environment)).toEqual(['in environment']);
  expect(await ids({ PAWL_STORE: '' })).toEqual(['in .pawl/pawl']);
  writeFileSync(join(root, 'pawl.config.json'), '{ "store": "sqlite:configured.db" }');
  expect(await ids({})).toEqual(['in configured']);
  expect(await ids(environment)).toEqual(['in environment']);
  expect(await ids(environment, '--store', 'sqlite:told.db')).toEqual(['in told']);
});

describe('pawl runs', () => {
  test('lists runs, newest first, as text and as JSON', async () => {
    await withStore(async (store) => {
      await addRun(store, 'run-a', 1_000, [{ type: 'run_completed', at: 2_500, data: data('done') }]);
      await addRun(store, 'run-b', 2_000, [], 'triage');
    });
    const { code, stdout } = await cli('runs');
    expect(code).toBe(0);
    expect(stdout.split('\n').map((line) => line.replaceAll(/\d{4}-\S+ \S+/g, 'TIME'))).toEqual([
      'run-b  running    triage  TIME',
      'run-a  completed  fulfil  TIME  1.5 s',
      '',
    ]);
    expect(JSON.parse((await cli('runs', '--json')).stdout)).toMatchObject([
      { id: 'run-b', workflow: 'triage', status: 'running', finishedAt: null },
      { id: 'run-a', workflow: 'src/a.ts#fulfil', status: 'completed', createdAt: 1_000, finishedAt: 2_500, events: 2 },
    ]);
  });

  test('filters by status and workflow, and says when there is more', async () => {
    await withStore(async (store) => {
      for (let n = 0; n < 5; n++) await addRun(store, `run-${n}`, n, []);
      await addRun(store, 'other', 9, [{ type: 'run_completed', at: 9, data: null }], 'triage');
    });
    expect(JSON.parse((await cli('runs', '--json', '--status', 'completed')).stdout)).toHaveLength(1);
    expect(JSON.parse((await cli('runs', '--json', '--workflow', 'fulfil')).stdout)).toHaveLength(5);
    const { stdout, stderr } = await cli('runs', '--limit', '2', '--workflow', 'fulfil');
    expect(stdout.split('\n')).toHaveLength(3);
    expect(stderr).toBe('2 runs shown; `--limit 0` lists all.\n');
    expect((await cli('runs', '--workflow', 'nothing')).stderr).toBe('There are no such runs.\n');
  });

  test.each([
    [['--limit', 'x'], /`--limit x` is no number/],
    [['--status', 'done'], /no status `done`.*\n.*one of pending, running/],
    [['--store', 'mysql:x'], /PAWL_STORE_UNSUPPORTED/],
  ])('%j is refused', async (argv, expected) => {
    const { code, stderr } = await cli('runs', ...argv);
    expect(code).toBe(2);
    expect(stderr).toMatch(expected);
  });

  test('a store that does not exist is not made', async () => {
    const { code, stderr } = await cli('runs');
    expect(code).toBe(2);
    expect(stderr).toMatch(/PAWL_STORE_MISSING/);
    expect(await cli('runs')).toMatchObject({ code: 2 });
  });

  test('a file that is no store', async () => {
    writeFileSync(join(root, 'x.db'), 'not a database, but long enough to look like one'.repeat(40));
    const { code, stderr } = await cli('runs', '--store', 'sqlite:x.db');
    expect(code).toBe(2);
    expect(stderr).toMatch(/error PAWL_STORE_(CORRUPT|FOREIGN)/);
  });
});

describe('pawl inspect', () => {
  test('shows which runs a run called, and who called it', async () => {
    await withStore((store) =>
      addRun(store, 'parent', 1_000, [
        { type: 'child_scheduled', at: 1_000, cid: 1, name: 'src/b.ts#pay', meta: { runId: 'parent.1-ab', seed: 's' } },
        { type: 'child_refused', at: 1_000, cid: 2, name: 'refund', data: data(new TypeError('no')) },
        { type: 'child_failed', at: 1_000, cid: 2, data: data(new TypeError('no')) },
        { type: 'child_completed', at: 3_000, cid: 1, data: data('paid') },
      ]),
    );
    const { stdout } = await cli('inspect', 'parent');
    expect(stdout).toMatch(/✔ run pay +2 s {2}parent\.1-ab\n.*✖ run refund +0 µs {2}its input was refused/);
    expect(JSON.parse((await cli('inspect', 'parent', '--json')).stdout)).toMatchObject({
      parent: null,
      timeline: [
        {
          kind: 'child',
          name: 'src/b.ts#pay',
          state: 'completed',
          runId: 'parent.1-ab',
          duration: 2_000,
          result: 'paid',
        },
        { kind: 'child', name: 'refund', state: 'failed', runId: null, error: { message: 'no' } },
      ],
    });
    expect((await cli('inspect', 'parent.1-ab')).stdout).toMatch(/called by +parent\n/);
    expect(JSON.parse((await cli('runs', '--json')).stdout)).toMatchObject([
      { id: 'parent.1-ab', parent: { runId: 'parent', cid: 1 } },
      { id: 'parent', parent: null },
    ]);
  });

  test('tells of streams', async () => {
    await withStore(async (store) => {
      await addRun(store, 'run-a', 1_000, []);
      const writer = { runId: 'run-a', fence: 1, by: 'run-a 1' };
      const write = (stream: string, chunks: (string | Uint8Array)[], close = false) =>
        store.appendChunks({ runId: 'run-a', stream, writer, chunks, close });
      await write('w', [new Uint8Array(3 << 20)]);
      await write('w:pro\u001bgress', ['1[5]', '1[6]'], true);
      await write('s:4.1.0', [], true);
    });
    const { stdout } = await cli('inspect', 'run-a');
    expect(stdout).toMatch(/\n +stream +default: 1 chunk, 3 MiB\n/);
    expect(stdout).toMatch(/\n +stream +'pro\S*gress': 2 chunks, 8 B, closed\n/);
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toMatch(/\n +stream +of a result of step #4: 0 chunks, 0 B, closed\n/);
    expect(JSON.parse((await cli('inspect', 'run-a', '--json')).stdout).streams).toEqual([
      { namespace: null, step: 4, chunks: 0, size: 0, closed: true },
      { namespace: null, step: null, chunks: 1, size: 3 << 20, closed: false },
      { namespace: 'pro\u001bgress', step: null, chunks: 2, size: 8, closed: true },
    ]);
  });

  test('shows steps, attempts, durations and the error', async () => {
    await withStore((store) => addRun(store, 'run-a', 1_000, EVENTFUL));
    const { code, stdout } = await cli('inspect', 'run-a');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^fulfil {2}failed in 7\.02 s\n/);
    expect(stdout).toMatch(/arguments +\[ \{ id: 7 \} \]/);
    expect(stdout).toMatch(/\+0 µs {2}✔ charge +150 ms {2}2 attempts\n/);
    expect(stdout).toMatch(
      /├─ 1: failed after 19 ms: TypeError: no answer \(.*runs\.test\.ts:\d+:\d+\); next after 100 ms\n/,
    );
    expect(stdout).toMatch(/└─ 2: completed after 30 ms\n/);
    expect(stdout).toMatch(
      /✖ fulfil\/pack +4\.01 s {2}2 attempts\n +├─ 1: interrupted\n +└─ 2: failed after 10 ms: Error: out of boxes/,
    );
    expect(stdout).toMatch(/\+4\.01 s {2}✔ sleep +3 s\n/);
    expect(stdout).toMatch(/\nError: gave up\n/);
  });

  test('as JSON', async () => {
    await withStore((store) => addRun(store, 'run-a', 1_000, EVENTFUL));
    expect(JSON.parse((await cli('inspect', 'run-a', '--json')).stdout)).toMatchObject({
      id: 'run-a',
      status: 'failed',
      args: [{ id: 7 }],
      error: { name: 'Error', message: 'gave up' },
      timeline: [
        {
          kind: 'step',
          name: 'src/a.ts#charge',
          state: 'completed',
          duration: 150,
          result: { paid: true },
          attempts: [
            { number: 1, outcome: 'failed', duration: 19, error: { name: 'TypeError', message: 'no answer' } },
            { number: 2, outcome: 'completed', duration: 30 },
          ],
        },
        {
          name: 'src/a.ts#fulfil/pack',
          state: 'failed',
          attempts: [{ outcome: 'interrupted' }, { outcome: 'failed' }],
        },
        { kind: 'sleep', state: 'completed', until: 8_010, duration: 3_000 },
      ],
    });
  });

  test('--events shows the log as it is', async () => {
    await withStore((store) => addRun(store, 'run-a', 1_000, EVENTFUL));
    const events = JSON.parse((await cli('inspect', 'run-a', '--events', '--json')).stdout);
    expect(events).toHaveLength(EVENTFUL.length + 1);
    expect(events[1]).toMatchObject({ seq: 2, type: 'step_scheduled', cid: 1, data: [7] });
    expect((await cli('inspect', 'run-a', '--events')).stdout).toMatch(/ 2 .*step_scheduled +#1 {2}src\/a\.ts#charge/);
  });

  test('a part of the id is enough when it is of one run', async () => {
    await withStore(async (store) => {
      await addRun(store, 'abc-1', 1, []);
      await addRun(store, 'abc-2', 2, []);
    });
    expect((await cli('inspect', 'c-2')).stdout).toMatch(/abc-2/);
    expect((await cli('inspect', 'abc')).stderr).toMatch(/PAWL_RUN_AMBIGUOUS: 2 runs match `abc`/);
    const { code, stderr } = await cli('inspect', 'zzz');
    expect(code).toBe(2);
    expect(stderr).toMatch(/PAWL_RUN_UNKNOWN: There is no run `zzz`\.\n.*\n.*`pawl runs`/);
  });
});

describe('pawl wake', () => {
  test('ends the sleeps that the run is in, and says how many', async () => {
    const sleep = (cid: number) => ({ type: 'sleep_scheduled', at: 1, cid, meta: { until: 1e15 } }) as const;
    const over = { type: 'sleep_completed', at: 2, cid: 1, meta: null } as const;
    await withStore((store) => addRun(store, 'run-a', 1, [sleep(1), sleep(2), over, sleep(3)]));
    expect(await cli('wake', 'run-a')).toMatchObject({ code: 0, stdout: 'run-a: 2 sleeps ended\n' });
    expect(JSON.parse((await cli('wake', 'run-a', '--json')).stdout)).toEqual({ id: 'run-a', stoppedCount: 2 });
    await withStore(async (store) => {
      const [message] = await store.readInbox({ runId: 'run-a' });
      expect(message).toMatchObject({ kind: 'wake', cids: [2, 3] });
    });
  });

  test('says so of a run that is in none, has ended, or is not there', async () => {
    await withStore(async (store) => {
      await addRun(store, 'run-a', 1, []);
      await addRun(store, 'run-b', 1, [{ type: 'run_completed', at: 2, data: null }]);
    });
    expect(await cli('wake', 'run-a')).toMatchObject({ code: 0, stdout: 'run-a: is in no sleep\n' });
    expect(await cli('wake', 'run-b')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/PAWL_RUN_FINISHED: .*`run-b` does not sleep: it is completed/),
    });
    expect(await cli('wake', 'run-z')).toMatchObject({ code: 2, stderr: expect.stringContaining('PAWL_RUN_UNKNOWN') });
  });
});

describe('pawl cancel', () => {
  test('leaves a message, once', async () => {
    await withStore((store) => addRun(store, 'run-a', 1, []));
    expect(await cli('cancel', 'run-a', '--reason', 'no')).toMatchObject({
      code: 0,
      stdout: 'run-a: cancellation asked for\n',
    });
    expect((await cli('cancel', 'run-a')).stdout).toMatch(/asked for before/);
    await withStore(async (store) => {
      expect(await store.readInbox({ runId: 'run-a' })).toMatchObject([{ kind: 'cancel', reason: 'no' }]);
    });
    expect((await cli('runs')).stdout).toMatch(/cancelling/);
  });

  test('a finished run stays as it is', async () => {
    await withStore((store) => addRun(store, 'run-a', 1, [{ type: 'run_completed', at: 2, data: null }]));
    const { code, stderr } = await cli('cancel', 'run-a');
    expect(code).toBe(2);
    expect(stderr).toMatch(/PAWL_RUN_FINISHED: .*completed already/);
  });
});
