/** Steps that go on after their signal has aborted: they keep their place among those that may run at once, but not for ever. */
import { afterEach, describe, expect, test } from 'vitest';
import { AbortNotices } from '../../src/cli/abort-notice.ts';
import { getStepMetadata } from '../../src/index.ts';
import { LAST_MOMENTS } from '../../src/runtime/gate.ts';
import type { Program } from '../../src/runtime/program.ts';
import { closeAll, program, type Setup, settle, setup } from './support.ts';

afterEach(closeAll);

interface Begun {
  name: string;
  attempt: number;
  signal: AbortSignal;
  finish(): void;
}

/** Steps that run until they are told to end, whatever their signal says. */
function stubborn(options: Record<string, unknown> = {}): { made: Program; begun: Begun[] } {
  const begun: Begun[] = [];
  const work = (name: string): Promise<string> =>
    new Promise((resolve) => {
      const { attempt, signal } = getStepMetadata();
      begun.push({ name, attempt, signal, finish: () => resolve(`${name} ${attempt}`) });
    });
  const workflows = `const work = step('work');
    workflow('one', async (name) => work(name));
    workflow('left', async () => Promise.race([work('left'), sleep('1s').then(() => 'slept')]));`;
  return { made: program({ workflows, steps: { work }, options: { work: options } }), begun };
}

const ignored = ({ events }: Setup) => events.filter(({ type }) => type === 'step-ignores-abort');

describe.each([
  ['the limit of the step', { concurrency: 1 }, {}],
  ['the limit of the worker', {}, { concurrency: 1 }],
])('%s', (_, stepOptions, options) => {
  test('counts a step that nobody waits for as long as it runs', async () => {
    const { made, begun } = stubborn(stepOptions);
    const s = await setup(made, options);
    const left = await s.start('left');
    await settle();
    s.clock.advance(1_000);
    expect(await left.returnValue).toBe('slept');
    expect(begun[0]?.signal.aborted).toBe(true);
    const next = await s.start('one', 'next');
    s.clock.advance(LAST_MOMENTS - 1);
    await settle();
    expect(begun).toHaveLength(1);
    begun[0]?.finish();
    await settle();
    expect(begun).toHaveLength(2);
    begun[1]?.finish();
    expect(await next.returnValue).toBe('next 1');
    expect(s.clock.next()).toBeNull();
    expect(ignored(s)).toEqual([]);
  });

  test('is not held for ever by one that never ends, which is told once', async () => {
    const { made, begun } = stubborn(stepOptions);
    const s = await setup(made, options);
    const left = await s.start('left');
    await settle();
    s.clock.advance(1_000);
    await left.returnValue;
    const others = await Promise.all([s.start('one', 'a'), s.start('one', 'b')]);
    await settle();
    s.clock.advance(LAST_MOMENTS);
    await settle();
    expect(begun.map(({ name }) => name)).toEqual(['left', 'a']);
    expect(ignored(s)).toEqual([
      expect.objectContaining({ runId: left.runId, stepId: 'work', attempt: 1, afterMs: LAST_MOMENTS }),
    ]);
    // Its end, late as it is, makes no room a second time.
    begun[0]?.finish();
    await settle();
    expect(begun).toHaveLength(2);
    begun[1]?.finish();
    await settle();
    begun[2]?.finish();
    expect(await Promise.all(others.map((run) => run.returnValue))).toEqual(['a 1', 'b 1']);
    s.clock.advance(LAST_MOMENTS);
    expect(ignored(s)).toHaveLength(1);
  });

  test('keeps an attempt and the next one apart when the first exceeds its timeout and goes on', async () => {
    const { made, begun } = stubborn({ ...stepOptions, timeout: 100, maxRetries: 1, retryAfter: 50 });
    const s = await setup(made, options);
    const run = await s.start('one', 'x');
    await settle();
    s.clock.advance(100);
    await settle();
    s.clock.advance(2_000);
    await settle();
    expect(s.events.map(({ type }) => type)).toContain('step-retrying');
    expect(begun).toHaveLength(1);
    begun[0]?.finish();
    await settle();
    expect(begun.map(({ attempt }) => attempt)).toEqual([1, 2]);
    begun[1]?.finish();
    expect(await run.returnValue).toBe('x 2');
  });
});

test('what a person reads of it, once of each step', () => {
  const notices = new AbortNotices();
  const about = { runId: 'r1', cid: 1, attempt: 2, at: 0, afterMs: LAST_MOMENTS } as const;
  const heard = (stepId: string): string | null => notices.of({ type: 'step-ignores-abort', stepId, ...about });
  expect(heard('src/a.ts#work')).toBe(
    'PAWL_STEP_IGNORES_ABORT: the step src/a.ts#work still runs 10 s after its signal has aborted (run r1, attempt 2); its place is given to others\n' +
      '  Pass `getStepMetadata().signal` on to what it waits for.',
  );
  expect(heard('src/a.ts#work')).toBeNull();
  expect(heard('src/b.ts#other')).toContain('src/b.ts#other');
  expect(notices.of({ type: 'sleep-completed', runId: 'r1', cid: 1, at: 0 })).toBeNull();
});

test('a worker closes in its time while a step goes on that nobody waits for, and leaves no timer behind', async () => {
  const { made, begun } = stubborn({ timeout: '1h' });
  const s = await setup(made);
  const left = await s.start('left');
  const open = await s.start('one', 'open');
  await settle();
  s.clock.advance(1_000);
  await left.returnValue;
  await s.worker.close({ timeout: 5 });
  expect(begun.map(({ signal }) => signal.aborted)).toEqual([true, true]);
  expect(s.clock.next()).toBeNull();
  expect(await s.store.getRun(open.runId)).toMatchObject({ status: 'running', owner: null });
});
