/** `pawl run` of a workflow whose called run cannot go on: it says so, and what to do. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import type { RunRecord } from '../../src/store/port.ts';
import { CLI, spawnCli } from '../support/cli.ts';
import { ROOT } from '../support/dist.ts';

const WITH_STEP = `async function pack(id: string) { 'use step'; return 'packed ' + id; }
  export async function inner(id: string) { 'use workflow'; return pack(id); }
  export async function outer(id: string) { 'use workflow'; return inner(id); }`;
const WITH_HOOK = `import { createHook } from 'pawl';
  export async function inner(id: string) { 'use workflow'; return createHook<string>({ token: 'shelf' }); }
  export async function outer(id: string) { 'use workflow'; return inner(id); }`;
const WITHOUT = WITH_STEP.replace("'use step'; ", '').replace('return pack(id)', 'return id');

test('a called run that is parked is told of, with what to do; the caller goes on when that is done', async () => {
  mkdirSync(join(ROOT, '.cache'), { recursive: true });
  const root = mkdtempSync(join(ROOT, '.cache/parked-child-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const build = async (source: string): Promise<void> => {
    mkdirSync(join(root, 'src'), { recursive: true });
    writeFileSync(join(root, 'src/main.ts'), source);
    expect(await spawnCli(['build'], { cwd: root })).toMatchObject({ code: 0 });
  };
  await build(WITH_STEP);
  const read = (file: string): string => readFileSync(join(root, '.pawl', file), 'utf8');
  const { hash } = (JSON.parse(read('manifest.json')) as { bundles: { workflows: { hash: string } } }).bundles
    .workflows;
  const store = await openStore(`sqlite:${join(root, '.pawl/pawl.db')}`);
  await store.putBundle(hash, { code: read('workflows.js'), map: null, manifest: null });
  const run = { workflowId: 'src/main.ts#outer', seed: 's', bundleHash: hash, input: '1[[1],"A-1"]', at: Date.now() };
  await store.createRun({ id: 'order', ...run });
  await store.close();

  await build(WITHOUT);
  const child = spawn(process.execPath, [CLI, 'run', 'outer', '--id', 'order'], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1' },
  });
  let said = '';
  const closed = new Promise((resolve) => child.once('close', resolve));
  await new Promise<void>((resolve) => {
    child.stderr.on('data', (text) => {
      said += text;
      if (said.includes('gives it up')) resolve();
    });
  });
  child.kill('SIGINT');
  expect(await closed).toBe(130);
  expect(said).toMatch(
    /the run order\.1-\w+ of inner is parked, and its caller waits for it\. PAWL_STEP_MISSING: The code at hand has no step src\/main\.ts#pack\./,
  );
  expect(said).toContain('`pawl run src/main.ts#outer --id order` lets both go on; `pawl cancel order.1-');

  await build(WITH_STEP);
  const { code, stdout } = await spawnCli(['run', 'src/main.ts#outer', '--id', 'order'], { cwd: root });
  expect([code, stdout]).toEqual([0, '"packed A-1"\n']);
});

test('so is one that another worker has parked', async () => {
  mkdirSync(join(ROOT, '.cache'), { recursive: true });
  const root = mkdtempSync(join(ROOT, '.cache/parked-child-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, 'src'), { recursive: true });
  writeFileSync(join(root, 'src/main.ts'), WITH_HOOK);
  expect(await spawnCli(['build'], { cwd: root })).toMatchObject({ code: 0 });
  const store = await openStore(`sqlite:${join(root, '.pawl/pawl.db')}`);
  onTestFinished(() => store.close());
  const child = spawn(process.execPath, [CLI, 'run', 'outer', '--id', 'order', '--input', '"A-1"'], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1' },
  });
  let said = '';
  const closed = new Promise((resolve) => child.once('close', resolve));
  const told = new Promise<void>((resolve) => {
    child.stderr.on('data', (text) => {
      said += text;
      if (said.includes('gives it up')) resolve();
    });
  });
  // Another process takes the called run as soon as it is there, and cannot go on with it.
  const called = async (): Promise<RunRecord> => {
    for (;;) {
      const { runs } = await store.listRuns();
      const found = runs.find(({ parent, status }) => parent !== null && status === 'running');
      if (found && (await store.getHook('shelf'))) return found;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const { id } = await called();
  await store.registerOwner('other', 60_000);
  const { fence } = (await store.getRun(id)) as RunRecord;
  // The command's own worker has let go of it: it waits for nothing but a payload.
  expect(await store.release(id, fence)).toBe(true);
  const claimed = await store.claimRun(id, { owner: 'other', now: Date.now() });
  if (!claimed.ok) throw new Error(claimed.reason);
  const reason = { code: 'PAWL_STEP_MISSING', message: 'Where I am there is no such step.' };
  const { fence: mine, lastSeq } = claimed.run;
  const parked = { type: 'run_parked', at: Date.now(), meta: reason } as const;
  expect(await store.append({ runId: id, fence: mine, afterSeq: lastSeq, events: [parked] })).toMatchObject({
    ok: true,
  });
  await told;
  child.kill('SIGINT');
  expect(await closed).toBe(130);
  expect(said).toMatch(
    /the run order\.1-\w+ of inner is parked, .* PAWL_STEP_MISSING: Where I am there is no such step\./,
  );
  expect(said.split('is parked').length).toBe(2);
});
