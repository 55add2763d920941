import { describe, expect, test } from 'vitest';
import { createSession } from '../../src/checker/index.ts';
import { analyze, type ModuleFacts } from '../../src/compiler/index.ts';
import { checkSources } from '../support/checker.ts';
import { temporaryProject } from '../support/project.ts';

/** Facts about calls, and the rules that use them where fixtures would be too coarse. */

function factsOf(source: string): ModuleFacts {
  return analyze(source, { filename: 'src/main.ts', calls: true }).facts;
}

/** Result, and what else is known, of the call of `step` in a workflow with that body. */
function siteOf(body: string) {
  const facts = factsOf(`async function step(x?: unknown) { 'use step'; return x; }
export async function flow(list: string[], ok: boolean) { 'use workflow'; ${body} }`);
  const [site] =
    facts.calls?.sites.filter(({ unit, use }) => facts.units[unit]?.uses[use ?? -1]?.path[0] === 'step') ?? [];
  const fn = site?.fn === undefined ? undefined : facts.calls?.functions?.[site.fn];
  return { result: site?.result, role: fn?.role, to: site?.to, position: site?.position };
}

test('nothing is read of calls unless it is asked for', () => {
  expect(analyze(`import { sleep } from 'pawl'; sleep(1)`, { filename: 'a.ts' }).facts.calls).toBeUndefined();
});

test('facts are plain data', () => {
  const { calls } = factsOf(
    `import { sleep } from 'pawl'; export async function f() { 'use workflow'; for (;;) await sleep(1); }`,
  );
  expect(JSON.parse(JSON.stringify(calls))).toEqual(calls);
});

describe('what becomes of a result', () => {
  test.each([
    ['await step();', 'awaited'],
    ['const x = await (step() as Promise<unknown>);', 'awaited'],
    ['for await (const x of step()) x;', 'awaited'],
    ['return step();', 'returned'],
    ['return ok ? step() : null;', 'returned'],
    ['await Promise.all([step()]);', 'combined'],
    ['return Promise.race([step(), 1]);', 'combined'],
    ['const all = Promise.allSettled([step()]); await all;', 'combined'],
    ['Promise.all([step()]);', 'dropped'],
    ['const all = Promise.all([step()]);', 'unused'],
    ['step();', 'dropped'],
    ['(step());', 'dropped'],
    ['step()!;', 'dropped'],
    ['ok && step();', 'dropped'],
    ['ok ? step() : 0;', 'dropped'],
    ['step().finally(() => {});', 'dropped'],
    ['step().then(() => {});', 'chained'],
    ['step().catch(() => {}).finally(() => {});', 'chained'],
    ['await step().then(() => {});', 'awaited'],
    ['void step();', 'void'],
    ['const p = step();', 'unused'],
    ['const p = step(); return [p];', 'stored'],
    ['const { x } = step() as any;', 'stored'],
    ['let p; p = step();', 'unused'],
    ['let p; p = step(); return () => p;', 'stored'],
    ['let p; await (p = step());', 'awaited'],
    ['let p; p = step().catch(() => {});', 'chained'],
    ['let p, q; p = q = step(); return q;', 'stored'],
    ['let p; p ??= step();', 'stored'],
    ['list.first = step();', 'stored'],
    ['(step(), 1);', 'dropped'],
    ['return 1, step();', 'returned'],
    ['for (let i = 0; i < 1; step()) i++;', 'dropped'],
    ['(0, step)();', 'dropped'],
    ['await (0, step)();', 'awaited'],
    ['using p = step() as any;', 'stored'],
    ['list.push(step() as any);', 'argument'],
    ['new Map([[1, step()]]);', 'other'],
    ['if (step()) return;', 'tested'],
    ['while (!step()) return;', 'tested'],
    ['step() ? 1 : 2;', 'tested'],
    ['const x = step() || 1; return x;', 'stored'],
    ['return { x: step() };', 'other'],
    ['return `${step()}`;', 'dropped'],
    ['return sql`${step()}`;', 'argument'],
  ])('%s', (body, result) => {
    expect(siteOf(body).result).toBe(result);
  });

  test.each([
    ['return Promise.all(list.map((x) => step(x)));', { method: 'map', result: 'combined' }],
    ['list.forEach(async (x) => { await step(x); });', { method: 'forEach', result: 'dropped' }],
    ['const all = list.map((x) => step(x)); return all;', { method: 'map', result: 'stored' }],
    ['(async () => { await step(); })();', { method: '', result: 'dropped' }],
    ['await (async () => { await step(); })();', { method: '', result: 'awaited' }],
    ['await new Promise((done) => { step().then(done); });', { method: 'new Promise', result: 'awaited' }],
    ['retry(() => step());', { method: 'retry', result: 'dropped' }],
  ])('in a callback: %s', (body, role) => {
    expect(siteOf(body).role).toEqual(role);
  });

  test.each([
    ['list.forEach(step);', { method: 'forEach', result: 'dropped' }],
    ['await Promise.all(list.map(step));', { method: 'map', result: 'combined' }],
  ])('passed on: %s', (body, to) => {
    expect(siteOf(body)).toMatchObject({ result: 'passed', to });
  });

  test.each([
    ['const x = ok ? await step() : 1; return x;', 'ternary'],
    ['return [...(await step() as any)];', 'spread'],
    ['const x = (await step()) === 1 ? 1 : 2; return x;', undefined],
  ])('its place: %s', (body, position) => {
    expect(siteOf(body).position).toBe(position);
  });

  test('a Promise of the module is not the global one', () => {
    expect(siteOf('const Promise = { all: (x: unknown) => x }; Promise.all([step()]);').result).toBe('argument');
  });
});

describe('loops', () => {
  const loopOf = (body: string) => {
    const [loop] =
      factsOf(`export async function flow(ok: boolean, list: number[]) { 'use workflow'; ${body} }`).calls?.loops ?? [];
    return { endless: loop?.endless, exits: loop?.exits };
  };

  test.each([
    ['while (true) {}', true, false],
    ['for (;;) {}', true, false],
    ['for (let i = 0; ; i++) {}', true, false],
    ['do {} while (1);', true, false],
    ['while (ok) {}', false, false],
    ['for (const x of list) x;', false, false],
    ['while (true) { if (ok) break; }', true, true],
    ['while (true) { for (const x of list) break; }', true, false],
    ['while (true) { switch (1) { case 1: break; } }', true, false],
    ['while (true) { switch (1) { default: return; } }', true, true],
    ['outer: while (true) { for (const x of list) break outer; }', true, true],
    ['outer: while (true) { for (const x of list) continue outer; }', true, false],
    ['outer: for (const x of list) while (true) { continue outer; }', false, false],
    ['while (true) { inner: { break inner; } }', true, false],
    ['while (true) { const f = () => { return 1; }; f(); }', true, false],
    ['while (true) { try { throw 1; } finally {} }', true, true],
  ])('%s', (body, endless, exits) => {
    expect(loopOf(body)).toEqual({ endless, exits });
  });
});

/** Findings of one rule, as lines of the file. */
async function linesOf(rule: string, source: string): Promise<number[]> {
  const { diagnostics } = await checkSources({ 'src/main.ts': source });
  return diagnostics.flatMap((diagnostic) => (diagnostic.rule === rule ? [diagnostic.span.line] : []));
}

describe('code for another SDK', () => {
  const program = (sdk: string, agent: string) => `import { sleep, createHook, getWritable } from '${sdk}';
import { DurableAgent } from '${agent}';
async function step() { 'use step';
  const writer = getWritable<string>().getWriter();
  await writer.write('x');
}
export async function flow() {
  'use workflow';
  sleep('1h');
  await createHook({ token: 'all' });
  new DurableAgent({ model: 'm' }).stream({ messages: [] });
  while (true) { await step(); }
}
`;
  test.each([
    ['pawl', 'pawl/agent'],
    ['workflow', '@workflow/ai/agent'],
  ])('%s is known', async (sdk, agent) => {
    const source = program(sdk, agent);
    expect(await linesOf('writer-lock-leak', source)).toEqual([4]);
    expect(await linesOf('floating-step', source)).toEqual([9]);
    expect(await linesOf('hook-token-constant', source)).toEqual([10]);
    expect(await linesOf('unawaited-prompt', source)).toEqual([11]);
    expect(await linesOf('unbounded-loop', source)).toEqual([12]);
  });

  test('names of other packages mean something else', async () => {
    const source = program('other', 'other/agent');
    for (const rule of ['floating-step', 'hook-token-constant', 'unawaited-prompt', 'writer-lock-leak'])
      expect([rule, await linesOf(rule, source)]).toEqual([rule, []]);
  });

  test('a cancellation that is never told cannot be swallowed', async () => {
    const source = (sdk: string) => `import { sleep } from '${sdk}';
async function step() { 'use step'; }
export async function flow() {
  'use workflow';
  for (let i = 0; i < 9; i++) { try { await step(); } catch {} await sleep('1h'); }
}
`;
    expect(await linesOf('swallowed-cancellation', source('workflow'))).toEqual([]);
    expect(await linesOf('swallowed-cancellation', source('pawl'))).toEqual([5]);
  });
});

describe('names', () => {
  test('hidden ones, namespaces, re-exports and methods are followed', async () => {
    const { diagnostics } = await checkSources({
      'src/steps.ts': `export async function charge() { 'use step'; }
export class Shop { static async close() { 'use step'; } async open() { await charge(); } }`,
      'src/index.ts': `export * from './steps'; export * as steps from './steps';`,
      'src/main.ts': `import * as all from './index';
import { sleep as pause } from 'pawl';
const shop = new all.Shop();
export async function flow(charge: () => void) {
  'use workflow';
  charge();
  all.charge();
  all.steps.charge();
  all.Shop.close();
  shop.open();
  pause(1);
  { const pause = () => 1; pause(); }
}`,
    });
    const lines = diagnostics.flatMap(({ rule, span }) => (rule === 'floating-step' ? [span.line] : []));
    expect(lines).toEqual([7, 8, 9, 10, 11]);
  });

  test('a finding in a helper shows how it is reached, and a comment there silences it', async () => {
    const helper = (comment: string) => `import { sleep } from 'pawl';
export async function rest() {
  ${comment}
  sleep('1h');
}`;
    const main = `import { rest } from './rest';
export async function flow() { 'use workflow'; await rest(); }`;
    const { diagnostics } = await checkSources({ 'src/rest.ts': helper('//'), 'src/main.ts': main });
    expect(diagnostics.map(({ rule, file, chain }) => ({ rule, file, chain }))).toEqual([
      { rule: 'floating-step', file: 'src/rest.ts', chain: 'flow → rest → sleep' },
    ]);
    const silenced = await checkSources({
      'src/rest.ts': helper('// pawl-ignore PAWL3001 -- nobody waits'),
      'src/main.ts': main,
    });
    expect(silenced.diagnostics).toEqual([]);
  });

  test('code that no workflow reaches may do what it likes', async () => {
    const source = `async function step() { 'use step'; }
export async function script() { step(); [1].forEach(async () => { await step(); }); }`;
    expect(await linesOf('floating-step', source)).toEqual([]);
  });
});

test('facts hold when a session checks an edited text again', async () => {
  const text = (call: string) => `import { sleep } from 'pawl';
export async function flow() { 'use workflow'; ${call} }`;
  const session = createSession({ root: temporaryProject({ 'src/main.ts': text('await sleep(1);') }) });
  const rules = async () => (await session.check()).diagnostics.map(({ rule }) => rule);
  expect(await rules()).toEqual([]);
  session.update('src/main.ts', text('sleep(1);'));
  expect(await rules()).toEqual(['floating-step']);
  session.update('src/main.ts', text('await sleep(1);'));
  expect(await rules()).toEqual([]);
  session.dispose();
});

test('helpers wait for a step however many calls away it is, in a circle too', async () => {
  const length = 2_000;
  const next = (index: number): string => (index === length ? 'charge()' : `f${index + 1}()`);
  const helpers = Array.from(
    { length: length + 1 },
    (_, index) => `async function f${index}() { return (await ${next(index)}) ?? f0; }`,
  );
  const { diagnostics } = await checkSources({
    'src/main.ts': `async function charge() { 'use step'; }
export async function flow() { 'use workflow'; f0(); f${length}(); idle(); }
async function idle() { return idle; }
${helpers.join('\n')}`,
  });
  expect(diagnostics.map(({ message }) => /`(.*?)`/.exec(message)?.[1])).toEqual(['f0', `f${length}`]);
});
