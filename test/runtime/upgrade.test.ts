/** Runs in flight are moved to other code, or refused with the place where their history parts from it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { hashText } from '../../src/manifest/index.ts';
import { getRun } from '../../src/runtime/client.ts';
import type { Program } from '../../src/runtime/program.ts';
import { historyOf } from '../../src/runtime/history.ts';
import { replayHistory } from '../../src/runtime/replay.ts';
import { Run } from '../../src/runtime/run-handle.ts';
import { upgradeRun } from '../../src/runtime/upgrade.ts';
import { openStore } from '../../src/store/index.ts';
import type { EventStore } from '../../src/store/port.ts';
import { runCli } from '../support/cli.ts';
import { ROOT } from '../support/dist.ts';
import { postgresUrl } from '../store/support/postgres.ts';
import { temporaryDirectory } from '../store/support/temporary.ts';
import { closeAll, program, type Setup, settle, setup } from './support.ts';

afterEach(closeAll);

const STEPS = { s: async (text: string) => `${text}!` };

/** A program whose bundles have hashes of their own. */
function coded(body: string, steps: Record<string, (...args: never[]) => unknown> = STEPS): Program {
  const made = program({ workflows: `const s = step('s'); workflow('w', async () => { ${body} });`, steps });
  return { ...made, workflows: { ...made.workflows, hash: hashText(made.workflows.code) } };
}

const OLD = coded(`const a = await s('a'); const b = await createHook({ token: 'h' }); return [a, b, 'old'];`);
const NEW = coded(`const a = await s('a'); const b = await createHook({ token: 'h' }); return [a, b, await s('new')];`);
const OTHER = coded(`const a = await createHook({ token: 'h' }); return [a, 'other'];`);

const codeOf = (made: Program) => ({ ...made.workflows, manifest: null });
const types = async (store: EventStore, runId: string): Promise<string[]> =>
  (await store.readEvents(runId)).map(({ type }) => type);
const outputOf = async ({ worker }: Setup, runId: string): Promise<unknown> => {
  const end = await worker.whenEnded(runId);
  return end.status === 'completed' && end.data !== null ? worker.codec.parse(end.data) : end;
};

async function began(made: Program, store?: EventStore): Promise<Setup & { runId: string }> {
  const first = await setup(made, store ? { store } : {});
  const { runId } = await first.start('w');
  await settle();
  if (made === OLD) while ((await first.store.getHook('h')) === null) await settle(1);
  return { ...first, runId };
}

const STORES: [name: string, url: () => string][] = [
  ['SQLite', () => `sqlite:${join(temporaryDirectory(), 'pawl.db')}`],
  ['PostgreSQL', () => postgresUrl()],
];

async function opened(url: string): Promise<EventStore> {
  const store = await openStore(url);
  onTestFinished(() => store.close());
  return store;
}

describe.each(STORES)('on %s', (_, url) => {
  test('a run that nobody works on goes on with the new code', async () => {
    const { store, runId, close } = await began(OLD, await opened(url()));
    await close();
    const next = await setup(NEW, { store, claim: false });
    expect(await new Run(runId, () => next.worker).upgrade()).toBe('upgraded');
    expect(await new Run(runId, () => next.worker).upgrade()).toBe('current');
    expect((await store.getRun(runId))?.bundleHash).toBe(NEW.workflows.hash);
    const end = outputOf(next, runId);
    await next.worker.resumeHook('h', 1);
    expect(await end).toEqual(['a!', 1, 'new!']);
    const log = await store.readEvents(runId);
    expect(log.find(({ type }) => type === 'run_upgraded')?.meta).toEqual({
      bundleHash: NEW.workflows.hash,
      from: OLD.workflows.hash,
    });
    expect(await replayHistory(historyOf(runId, log), NEW.workflows)).toBeNull();
  });

  test('a run that another worker has is moved by that worker', async () => {
    const place = url();
    const first = await began(OLD, await opened(place));
    const { store, runId } = first;
    // As another process would: they share nothing but the store.
    const builder = await setup(NEW, { store: await opened(place), claim: false });
    expect(await new Run(runId, () => builder.worker).upgrade()).toBe('upgraded');
    expect((await store.getRun(runId))?.owner).toBe(first.worker.owner);
    expect(await store.readInbox({ runId })).toEqual([]);
    await first.worker.resumeHook('h', 2);
    expect(await outputOf(first, runId)).toEqual(['a!', 2, 'new!']);
    expect(await types(store, runId)).toEqual([
      'run_created',
      'step_scheduled',
      'step_completed',
      'hook_created',
      'run_upgraded',
      'hook_received',
      'step_scheduled',
      'step_completed',
      'run_completed',
    ]);
  });

  test('a run whose history does not fit stays as it is, and the difference is told', async () => {
    const first = await began(OLD, await opened(url()));
    const { store, runId, close } = first;
    const before = [await store.readEvents(runId), (await store.getRun(runId))?.bundleHash];
    for (const closes of [false, true]) {
      if (closes) await close();
      const next = await setup(OTHER, { store, claim: false });
      await expect(new Run(runId, () => next.worker).upgrade()).rejects.toMatchObject({
        code: 'PAWL_UPGRADE_REFUSED',
        message: expect.stringMatching(
          /does not fit the code at hand\. On replay the workflow asks for hook h \(#1\) at .*, and the event log has step s \(#1\) there \(event 2\)\. The code has changed/,
        ),
        place: expect.stringMatching(/:\d+:\d+$/),
        remedy: expect.stringMatching(/^Nothing was changed/),
        details: { code: 'PAWL_REPLAY_DIVERGED', seq: 2 },
      });
      expect([await store.readEvents(runId), (await store.getRun(runId))?.bundleHash]).toEqual(before);
      expect(await store.readInbox({ runId })).toEqual([]);
    }
  });
});

describe('a worker that has the run', () => {
  test('waits until no step of it is at work, and makes none twice', async () => {
    let calls = 0;
    let finish = (): void => {};
    const steps = {
      s: async (text: string) => {
        calls++;
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        return `${text}!`;
      },
    };
    const first = await began(
      coded(`const a = await s('a'); return [a, await createHook({ token: 'h' }), 'old'];`, steps),
    );
    const { store, runId } = first;
    const next = coded(`const a = await s('a'); return [a, await createHook({ token: 'h' }), 'new'];`);
    const asked = upgradeRun(first.worker, runId, codeOf(next));
    await settle();
    expect(await types(store, runId)).toEqual(['run_created', 'step_scheduled']);
    finish();
    expect(await asked).toMatchObject({ outcome: 'upgraded' });
    await first.worker.resumeHook('h', 3);
    expect(await outputOf(first, runId)).toEqual(['a!', 3, 'new']);
    expect(calls).toBe(1);
  });

  test('that does not answer in time has been asked', async () => {
    const first = await began(coded(`await s('a');`, { s: () => new Promise(() => {}) }));
    const { worker, store, runId } = first;
    const next = coded(`await s('a'); return 1;`);
    expect(await upgradeRun(worker, runId, codeOf(next), { timeout: 10 })).toEqual({
      outcome: 'asked',
      owner: worker.owner,
    });
    worker.kill();
    // Whoever takes the run next finds what was asked.
    await store.removeOwner(worker.owner);
    const other = await setup(coded('', STEPS), { store });
    expect(await outputOf(other, runId)).toBe(1);
  });

  test('refuses when the log has grown to what does not fit, and the run goes on', async () => {
    const first = await began(OLD);
    const { store, runId, worker } = first;
    // Fits what was recorded when it was asked, but not the payload that came first.
    const next = coded(
      `const a = await s('a'); const hook = createHook({ token: 'h' }); const b = await Promise.race([hook]); return [a, b];`,
    );
    await store.putBundle(OTHER.workflows.hash, { code: OTHER.workflows.code, map: null, manifest: null });
    await store.requestUpgrade(runId, { at: 5, bundleHash: OTHER.workflows.hash });
    await store.requestUpgrade(runId, { at: 5, bundleHash: 'sha256-lost' });
    await settle(60);
    expect((await store.readEvents(runId)).at(-1)).toMatchObject({
      type: 'run_upgrade_refused',
      meta: { bundleHash: 'sha256-lost', code: 'PAWL_BUNDLE_LOST' },
    });
    await store.requestUpgrade(runId, { at: 5, bundleHash: OTHER.workflows.hash });
    await settle(60);
    expect((await store.readEvents(runId)).at(-1)).toMatchObject({
      type: 'run_upgrade_refused',
      meta: { bundleHash: OTHER.workflows.hash, code: 'PAWL_REPLAY_DIVERGED' },
    });
    expect(await upgradeRun(worker, runId, codeOf(next))).toMatchObject({ outcome: 'upgraded' });
    await worker.resumeHook('h', 4);
    expect(await outputOf(first, runId)).toEqual(['a!', 4]);
  });
});

test('a parked run tries again on the new code', async () => {
  const steps = { s: async () => 's', gone: async () => 'g' };
  const first = await began(coded(`await s('a'); await step('absent')(); return 'old';`, steps));
  const { store, runId, worker } = first;
  expect((await store.getRun(runId))?.status).toBe('parked');
  expect(await upgradeRun(worker, runId, codeOf(OTHER))).toMatchObject({ outcome: 'refused' });
  expect((await store.getRun(runId))?.status).toBe('parked');
  const mended = coded(`await s('a'); await step('absent')(); return 'new';`, steps);
  expect(await upgradeRun(worker, runId, codeOf(mended))).toMatchObject({ outcome: 'upgraded' });
  await settle();
  // It asks for the same step, so it is parked again, now on the new code.
  expect(await store.getRun(runId)).toMatchObject({ status: 'parked', bundleHash: mended.workflows.hash });
});

describe('two who ask at once', () => {
  const versions = [3, 4].map((n) =>
    coded(`const a = await s('a'); return [a, await createHook({ token: 'h' }), ${n}];`),
  );

  test('for the same code are both told that the run was moved', async () => {
    const { store, runId, worker } = await began(OLD);
    const [made] = versions as [Program];
    // The second reads the run before it is moved, and asks when it was.
    const waiting: (() => void)[] = [];
    const late = new Proxy(store, {
      get(target, key) {
        const method: unknown = Reflect.get(target, key);
        if (typeof method !== 'function') return method;
        if (key !== 'registerOwner') return method.bind(target);
        return async (...args: unknown[]) => {
          await new Promise<void>((resolve) => waiting.push(resolve));
          return method.apply(target, args);
        };
      },
    });
    const second = upgradeRun({ store: late, now: () => 0 }, runId, codeOf(made), { timeout: 5_000 });
    while (waiting.length === 0) await settle(1);
    expect(await upgradeRun(worker, runId, codeOf(made))).toMatchObject({ outcome: 'upgraded' });
    waiting[0]?.();
    expect(await second).toMatchObject({ outcome: 'upgraded', to: made.workflows.hash });
  });

  test('for different code: the last word counts, and the other is told so', async () => {
    const { store, runId, worker } = await began(OLD);
    const [made, last] = versions as [Program, Program];
    await store.putBundle(made.workflows.hash, { code: made.workflows.code, map: null, manifest: null });
    // Both stand in the inbox when the worker looks.
    const asked = Promise.all(
      [made, last].map((each) => store.requestUpgrade(runId, { at: 0, bundleHash: each.workflows.hash })),
    );
    await store.putBundle(last.workflows.hash, { code: last.workflows.code, map: null, manifest: null });
    await asked;
    await settle(60);
    const log = await store.readEvents(runId);
    expect(log.filter(({ type }) => type.startsWith('run_upgrade')).map(({ type, meta }) => [type, meta])).toEqual([
      [
        'run_upgrade_refused',
        {
          bundleHash: made.workflows.hash,
          code: 'PAWL_UPGRADE_SUPERSEDED',
          message: expect.stringContaining(last.workflows.hash),
        },
      ],
      ['run_upgraded', { bundleHash: last.workflows.hash, from: OLD.workflows.hash }],
    ]);
    await worker.resumeHook('h', 5);
    expect(await replayHistory(historyOf(runId, log), last.workflows)).toBeNull();
  });
});

describe('a run that is on the code, but about to leave it for other code,', () => {
  let finish = (): void => {};
  const slow = {
    s: (text: string) =>
      new Promise<string>((resolve) => {
        finish = () => resolve(text);
      }),
  };
  const other = coded(`await s('a'); return 'other';`, slow);
  const here = coded(`await s('a'); await createHook({ token: 'h' }); return 'here';`, slow);

  /** A step of it runs, and somebody has asked to move it. */
  async function leaving(): Promise<Setup & { runId: string; asked: ReturnType<typeof upgradeRun> }> {
    const made = await began(here);
    const asked = upgradeRun(made.worker, made.runId, codeOf(other), { timeout: 20_000 });
    while ((await made.store.readInbox({ runId: made.runId })).length === 0) await settle(1);
    return { ...made, asked };
  }

  test('stays on it when its worker comes to it, and both are told', async () => {
    const { worker, store, runId, asked } = await leaving();
    const stay = upgradeRun(worker, runId, codeOf(here), { timeout: 20_000 });
    while ((await store.readInbox({ runId })).length < 2) await settle(1);
    finish();
    expect(await stay).toEqual({ outcome: 'current', to: here.workflows.hash });
    expect(await asked).toMatchObject({ outcome: 'refused', problem: { code: 'PAWL_UPGRADE_SUPERSEDED' } });
    expect(await store.readInbox({ runId })).toEqual([]);
    expect((await store.getRun(runId))?.bundleHash).toBe(here.workflows.hash);
  });

  test('stays on it when nobody works on it', async () => {
    const { worker, store, runId, asked } = await leaving();
    worker.kill();
    await store.removeOwner(worker.owner);
    const next = await setup(here, { store, claim: false });
    expect(await upgradeRun(next.worker, runId, codeOf(here))).toEqual({
      outcome: 'current',
      to: here.workflows.hash,
    });
    expect(await asked).toMatchObject({ outcome: 'refused', problem: { code: 'PAWL_UPGRADE_SUPERSEDED' } });
    expect(await store.readInbox({ runId })).toEqual([]);
    expect(await types(store, runId)).not.toContain('run_upgraded');
  });
});

test('a run that is parked before its worker came to move it is moved at once, and not back by what was asked before', async () => {
  let finish = (): void => {};
  const slow = {
    s: () =>
      new Promise<string>((resolve) => {
        finish = () => resolve('s');
      }),
  };
  const { store, runId, worker } = await began(coded(`await s('a'); await step('absent')(); return 'old';`, slow));
  const versions = ['first', 'second'].map((n) => coded(`await s('a'); await step('absent')(); return '${n}';`, slow));
  const [first, second] = versions as [Program, Program];
  const asked = upgradeRun(worker, runId, codeOf(first), { timeout: 20_000 });
  while ((await store.readInbox({ runId })).length === 0) await settle(1);
  finish();
  expect(await asked).toMatchObject({ outcome: 'upgraded', to: first.workflows.hash });
  expect(await store.readInbox({ runId })).toEqual([]);
  await settle();
  expect(await store.getRun(runId)).toMatchObject({ status: 'parked', bundleHash: first.workflows.hash });
  // Somebody asked a worker that did not come to it.
  await store.requestUpgrade(runId, { at: 0, bundleHash: first.workflows.hash });
  expect(await upgradeRun(worker, runId, codeOf(second))).toMatchObject({ outcome: 'upgraded' });
  await settle();
  expect((await store.getRun(runId))?.bundleHash).toBe(second.workflows.hash);
});

test('there is nothing to move for runs that have ended, are not there, or where there is no code', async () => {
  const first = await setup(coded('return 1;'));
  const run = await first.start('w');
  await run.returnValue;
  await expect(run.upgrade()).rejects.toMatchObject({ code: 'PAWL_RUN_FINISHED' });
  await expect(upgradeRun(first.worker, 'nobody', codeOf(NEW))).rejects.toMatchObject({ code: 'PAWL_UNKNOWN_RUN' });
  const bare = new Run('x', () => ({ store: first.store, codec: first.worker.codec, now: () => 0 }));
  await expect(bare.upgrade()).rejects.toMatchObject({ code: 'PAWL_NO_CODE', remedy: expect.any(String) });
  await first.store.createRun({
    id: 'new',
    workflowId: 'w',
    seed: 's',
    bundleHash: null,
    input: null,
    at: 0,
    wakeAt: null,
  });
  expect(await getRun('new').upgrade()).toBe('current');
});

test('pawl upgrade moves a run, or all that are parked', async () => {
  mkdirSync(join(ROOT, '.cache'), { recursive: true });
  const root = mkdtempSync(join(ROOT, '.cache/upgrade-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, 'src'));
  const cli = (...argv: string[]) => runCli(argv, { cwd: root });
  const build = async (rest: string): Promise<void> => {
    writeFileSync(
      join(root, 'src/main.ts'),
      `import { createHook } from 'pawl';\nasync function s(n: number) { 'use step'; return n; }\nexport async function main(token: string) {\n  'use workflow';\n  ${rest}\n}\n`,
    );
    expect(await cli('build')).toMatchObject({ code: 0 });
  };
  await build(`await s(1); return await createHook({ token });`);
  const store = await openStore(`sqlite:${join(root, '.pawl/pawl.db')}`);
  onTestFinished(() => store.close());
  const { createWorker } = await import('../../src/runtime/worker.ts');
  const worker = await createWorker({ manifest: join(root, '.pawl'), store });
  const id = await worker.startRun({ workflowId: 'src/main.ts#main', args: ['h'], runId: 'order' });
  for (; (await store.getHook('h')) === null; ) await settle(1);
  await worker.close();
  const from = (await store.getRun(id))?.bundleHash;

  await build(`const hook = createHook({ token }); await s(1); return await hook;`);
  const refused = await cli('upgrade', id);
  expect([refused.code, refused.stdout]).toEqual([
    1,
    expect.stringMatching(
      /^refused {2}main {2}order\n {2}PAWL_REPLAY_DIVERGED: .* at src\/main\.ts:5:\d+, and the event log has step/,
    ),
  ]);
  const problem = JSON.parse((await cli('upgrade', id, '--json')).stdout);
  expect(problem).toMatchObject({
    id,
    outcome: 'refused',
    problem: { details: { seq: 2, place: { file: 'src/main.ts', line: 5 } } },
  });
  expect((await store.getRun(id))?.bundleHash).toBe(from);

  await build(`await s(1); return [await createHook({ token }), 'new'];`);
  const { code, stdout } = await cli('upgrade', id);
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(/^upgraded main {2}order {2}[0-9a-f]{16} -> [0-9a-f]{16}\n$/),
  ]);
  expect(JSON.parse((await cli('upgrade', id, '--json')).stdout)).toMatchObject({
    id,
    workflow: 'src/main.ts#main',
    outcome: 'current',
  });
  expect(await cli('upgrade', '--parked')).toMatchObject({ code: 0, stderr: expect.stringContaining('0 parked runs') });
  expect(await cli('upgrade', id, '--parked')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('PAWL_USAGE'),
  });
  expect(await cli('upgrade', 'nobody')).toMatchObject({ code: 2 });
});
