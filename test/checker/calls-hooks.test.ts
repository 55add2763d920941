import { describe, expect, test } from 'vitest';
import { createTestRuntime } from '../../src/testing/index.ts';

/** Rule race-drops-hook reports the shapes that lose payloads when they are run, and no others. */
const HEAD = `import { createHook, sleep } from 'pawl';
async function step(text) { 'use step'; return text; }
export async function main(id) {
  'use workflow';
  const TURNS = 3;
`;

const LOSING: Record<string, string> = {
  'a pause in the turn after the race was lost': `
    const hook = createHook({ token: 't:' + id });
    for (let turn = 0; turn < TURNS; turn++) {
      const got = await Promise.race([hook, sleep('1 day')]);
      if (got !== undefined) return got;
      await sleep('10m');
    }
    return 'lost';`,
  'a pause only where the time is over': `
    const hook = createHook({ token: 't:' + id });
    for (let turn = 0; turn < TURNS; turn++) {
      const got = await Promise.race([hook.then((value) => ({ value })), sleep('1 day').then(() => ({ late: true }))]);
      if (got.late) {
        await sleep('10m');
        continue;
      }
      return got.value;
    }
    return 'lost';`,
  'a pause before the race': `
    const hook = createHook({ token: 't:' + id });
    let turn = 0;
    while (turn++ < TURNS) {
      await sleep('10m');
      const got = await Promise.race([hook, sleep('1 day')]);
      if (got) return got;
    }
    return 'lost';`,
  'a new next() in each turn': `
    const hook = createHook({ token: 't:' + id });
    const payloads = hook[Symbol.asyncIterator]();
    for (let turn = 0; turn < TURNS; turn++) {
      const got = await Promise.race([payloads.next(), sleep('1 day')]);
      if (got !== undefined) return got.value;
    }
    return 'lost';`,
  'a new hook in each turn': `
    for (let turn = 0; turn < TURNS; turn++) {
      const hook = createHook({ token: 't:' + id + turn });
      const got = await Promise.race([hook, sleep('1 day')]);
      if (got !== undefined) return got;
    }
    return 'lost';`,
};

const KEEPING: Record<string, string> = {
  'racing again at once': `
    const hook = createHook({ token: 't:' + id });
    for (let turn = 0; turn < TURNS; turn++) {
      const got = await Promise.race([hook, sleep('1 day')]);
      if (got !== undefined) return got;
    }
    return 'lost';`,
  'next() that is kept until it wins': `
    const hook = createHook({ token: 't:' + id });
    const payloads = hook[Symbol.asyncIterator]();
    let next = payloads.next();
    for (let turn = 0; turn < TURNS; turn++) {
      const got = await Promise.race([next, sleep('1 day')]);
      if (got !== undefined) return got.value;
      await sleep('10m');
    }
    return 'lost';`,
  'a handler that notes what came': `
    const hook = createHook({ token: 't:' + id });
    let got;
    const answer = hook.then((value) => { got = value; });
    for (let turn = 0; turn < TURNS; turn++) {
      await Promise.race([answer, sleep('1 day')]);
      if (got !== undefined) return got;
      await sleep('10m');
    }
    return 'lost';`,
  'one promise that is made of the hook before the loop': `
    const hook = createHook({ token: 't:' + id });
    const answer = hook.then((value) => value);
    for (let turn = 0; turn < TURNS; turn++) {
      const got = await Promise.race([answer, sleep('1 day')]);
      if (got !== undefined) return got;
      await sleep('10m');
    }
    return 'lost';`,
  'something else to wait for, but only when the hook has won': `
    const hook = createHook({ token: 't:' + id });
    for (let turn = 0; turn < TURNS; turn++) {
      const got = await Promise.race([hook, sleep('1 day')]);
      if (got !== undefined) {
        await sleep('10m');
        return await step(got);
      }
    }
    return 'lost';`,
  'a loop that waits for payloads one after the other': `
    const hook = createHook({ token: 't:' + id });
    for await (const got of hook) {
      await sleep('10m');
      return got;
    }
    return 'lost';`,
};

async function runShape(body: string): Promise<{ result: string; rules: string[] }> {
  const runtime = await createTestRuntime({
    sources: { 'src/main.js': `${HEAD}${body}\n}\n` },
    config: { rules: { 'floating-step': 'warn' } },
  });
  try {
    const run = await runtime.start<string>('main', ['1']);
    if (body.includes("sleep('10m');\n      const got")) {
      await runtime.advance('10m');
    }
    const hook = await runtime.waitForHook(run);
    await runtime.advance('1 day');
    await hook.resume('paid');
    return { result: await runtime.finish(run), rules: runtime.diagnostics.map(({ rule }) => rule) };
  } finally {
    await runtime.close();
  }
}

describe('a payload that comes after the pause has won', () => {
  test.each(Object.entries(LOSING))('is lost, and that is reported: %s', async (_name, body) => {
    expect(await runShape(body)).toEqual({ result: 'lost', rules: ['race-drops-hook'] });
  });

  test.each(Object.entries(KEEPING))('arrives, and nothing is reported: %s', async (_name, body) => {
    expect(await runShape(body)).toEqual({ result: 'paid', rules: [] });
  });
});
