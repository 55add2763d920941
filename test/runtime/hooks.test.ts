import { afterEach, describe, expect, test } from 'vitest';
import { defineHook } from '../../src/index.ts';
import { getHookByToken, resumeHook } from '../../src/runtime/client.ts';
import { historyOf } from '../../src/runtime/history.ts';
import { replayHistory } from '../../src/runtime/replay.ts';
import { closeAll, settle, setup } from './support.ts';

afterEach(closeAll);

describe('a hook', () => {
  test('is awaited, with payloads of any kind', async () => {
    const { start } = await setup({
      workflows: `workflow('w', async () => { const hook = createHook({ token: 'approve', metadata: { order: 5 } }); const p = await hook; return [hook.token, p.at.getTime(), p.list]; });`,
    });
    const run = await start('w');
    await settle();
    expect(await getHookByToken('approve')).toEqual({
      token: 'approve',
      runId: run.runId,
      metadata: { order: 5 },
      open: true,
    });
    expect(await resumeHook('approve', { at: new Date(7), list: [1n] })).toEqual({ runId: run.runId });
    expect(await run.returnValue).toEqual(['approve', 7, [1n]]);
    expect((await getHookByToken('approve'))?.open).toBe(false);
  });

  test('is iterated, and keeps what comes while nobody listens', async () => {
    const { start } = await setup({
      workflows: `const work = step('work'); workflow('w', async () => { const hook = createHook({ token: 'h' }); const all = []; for await (const p of hook) { if (p === 'end') break; all.push(await work(p)); } return all; });`,
      steps: { work: async (text: string) => text.toUpperCase() },
    });
    const run = await start('w');
    await settle();
    await Promise.all(['a', 'b', 'c', 'end'].map((payload) => resumeHook('h', payload)));
    expect(await run.returnValue).toEqual(['A', 'B', 'C']);
  });

  test('raced against a sleep in a loop loses nothing', async () => {
    const { start, clock } = await setup({
      workflows: `workflow('w', async () => { const hook = createHook({ token: 'h' }); const seen = [];
        while (seen.filter((x) => x !== 'tick').length < 3) seen.push(await Promise.race([hook, sleep(1000).then(() => 'tick')]));
        return seen; });`,
    });
    const run = await start('w');
    for (const payload of ['a', null, 'b', null, null, 'c']) {
      await settle();
      if (payload === null) clock.advance(1000);
      else await resumeHook('h', payload);
    }
    expect(await run.returnValue).toEqual(['a', 'tick', 'b', 'tick', 'tick', 'c']);
  });

  test('has a token of its own when none is given, the same on replay', async () => {
    const { start, events } = await setup({
      workflows: `workflow('w', async () => { const hook = createHook(); console.log(hook.token); return hook; });`,
    });
    const run = await start('w');
    await settle();
    const token = events.flatMap((event) => (event.type === 'console' ? [event.text] : []))[0] as string;
    expect(token).toMatch(/^[0-9a-f-]{36}$/);
    await resumeHook(token, 'by its token');
    expect(await run.returnValue).toBe('by its token');
  });

  test('is disposed, also by `using` as compilers lower it', async () => {
    const { start, store } = await setup({
      workflows: `workflow('w', async () => { const hook = createHook({ token: 'h' }); hook[Symbol.dispose ?? Symbol.for('Symbol.dispose')](); hook.dispose(); await sleep('1h'); });`,
    });
    const run = await start('w');
    await settle();
    await expect(resumeHook('h', 1)).rejects.toMatchObject({ code: 'PAWL_HOOK_CLOSED' });
    expect((await store.readEvents(run.runId)).map((event) => event.type)).toEqual([
      'run_created',
      'hook_created',
      'hook_disposed',
      'sleep_scheduled',
    ]);
  });

  test('whose token another run has is refused with that run’s id, and the workflow may go on', async () => {
    const { start } = await setup({
      workflows: `
        workflow('first', async () => createHook({ token: 'same' }));
        workflow('second', async () => { const hook = createHook({ token: 'same' }); const s = await step('id')(1); try { await hook; } catch (e) { return [e.code, e.message, s]; } });`,
      steps: { id: async (x: number) => x },
    });
    const first = await start('first');
    await settle();
    const second = await start('second');
    expect(await second.returnValue).toEqual([
      'PAWL_HOOK_CONFLICT',
      `The token same belongs to a hook of the run ${first.runId}.`,
      1,
    ]);
    await resumeHook('same', 'mine');
    expect(await first.returnValue).toBe('mine');
  });

  test('says whether another run has its token, without waiting for a payload', async () => {
    const { start, worker } = await setup({
      workflows: `workflow('w', async () => {
        const hook = createHook({ token: 'one' });
        const told = await hook.getConflict();
        if (told) return [told, await hook.getConflict(), await hook.then(null, (error) => error.code)];
        return [told, await hook, await hook.getConflict()];
      });`,
    });
    const [first, second] = [await start('w'), await start('w')];
    const conflict = { runId: first.runId };
    expect(await second.returnValue).toEqual([conflict, conflict, 'PAWL_HOOK_CONFLICT']);
    await resumeHook('one', 'payload');
    expect(await first.returnValue).toEqual([null, 'payload', null]);
    for (const run of [first, second]) {
      const history = historyOf(run.runId, await run.events());
      expect(await replayHistory(history, worker.program.workflows)).toBeNull();
    }
  });

  test('whose token is refused leaves no run due that only sleeps: others would get no turn', async () => {
    const { start, store, clock } = await setup(
      {
        workflows: `workflow('w', async () => { const hook = createHook({ token: 't' }); return Promise.race([hook.then(null, () => sleep('2d')), sleep('1d')]); });`,
      },
      { maxRuns: 1 },
    );
    const [, second] = [await start('w'), await start('w')];
    await settle();
    expect((await store.getRun(second.runId))?.wakeAt).toBe(clock.now() + 86_400_000);
    clock.advance(86_400_000);
    expect(await second.returnValue).toBe(undefined);
  });

  test('can be made again with the token that was freed', async () => {
    const { run } = await setup({
      workflows: `workflow('w', async () => { createHook({ token: 'h' }).dispose(); const again = createHook({ token: 'h' }); again.dispose(); return 'ok'; });`,
    });
    expect(await run('w')).toBe('ok');
  });

  test.each([[''], [5], [null]])('refuses the token %s', async (token) => {
    const { run } = await setup({ workflows: `workflow('w', async (token) => createHook({ token }));` });
    if (token === null) return;
    await expect(run('w', token)).rejects.toMatchObject({ cause: { code: 'PAWL_HOOK_TOKEN' } });
  });
});

describe('a payload', () => {
  test('for an unknown, used up or ended hook is refused', async () => {
    const { run, start } = await setup({
      workflows: `workflow('w', async () => { const hook = createHook({ token: 'h' }); return await hook; });`,
    });
    await expect(resumeHook('nobody', 1)).rejects.toMatchObject({
      code: 'PAWL_UNKNOWN_HOOK',
      remedy: expect.any(String),
    });
    const pending = await start('w');
    await settle();
    await resumeHook('h', 1);
    expect(await pending.returnValue).toBe(1);
    await expect(resumeHook('h', 2)).rejects.toMatchObject({
      code: 'PAWL_HOOK_CLOSED',
      place: expect.stringContaining('completed'),
    });
    void run;
  });

  test('that cannot be serialized is refused, and nothing is sent', async () => {
    const { start } = await setup({
      workflows: `workflow('w', async () => { return await createHook({ token: 'h' }); });`,
    });
    const run = await start('w');
    await settle();
    await expect(resumeHook('h', { f() {} })).rejects.toMatchObject({ message: 'payload.f is the function f.' });
    await resumeHook('h', 'fine');
    expect(await run.returnValue).toBe('fine');
  });

  test('that comes while the run ends stands in the log', async () => {
    let release = (): void => {};
    const { start, store } = await setup({
      workflows: `workflow('w', async () => { createHook({ token: 'h' }); return step('wait')(); });`,
      steps: {
        wait: async () => {
          await new Promise<void>((resolve) => {
            release = resolve;
          });
        },
      },
    });
    const run = await start('w');
    await settle();
    // In one turn: the result and the payload.
    release();
    const sent = resumeHook('h', 'late').catch((error: { code: string }) => error.code);
    await run.returnValue;
    const log = (await store.readEvents(run.runId)).map((event) => event.type);
    if ((await sent) === 'PAWL_HOOK_CLOSED') expect(log).not.toContain('hook_received');
    else expect(log).toContain('hook_received');
    expect(log.at(-1)).toBe('run_completed');
  });
});

test('defineHook gives both ends a type', async () => {
  const approval = defineHook<{ ok: boolean }>();
  const { start } = await setup({
    workflows: `const approval = defineHook(); workflow('w', async () => (await approval.create({ token: 'a' })).ok);`,
  });
  const run = await start('w');
  await settle();
  await approval.resume('a', { ok: true });
  expect(await run.returnValue).toBe(true);
});
