import { describe, expect, test } from 'vitest';
import { checkSources } from '../support/checker.ts';

/** What the rules about levels say of programs of several modules, as `file:line code`; chains where there are any. */
async function check(files: Record<string, string>): Promise<string[]> {
  const { diagnostics } = await checkSources(files);
  return diagnostics
    .filter(({ rule }) => rule !== 'unresolved-import')
    .map(({ file, span, code, chain }) => `${file}:${span.line} ${code}${chain ? ` ${chain}` : ''}`);
}

const WORKFLOW = (body: string) => `export async function flow(x: string) {\n'use workflow';\n${body}\n}\n`;
const STEP = (body: string) => `export async function step(x: string) {\n'use step';\n${body}\n}\n`;

describe('one helper, two levels', () => {
  const waiting = `import { sleep } from 'pawl';\nexport const wait = async () => {\n  await sleep(1);\n};\n`;

  test('what waits is wrong in the step alone', async () => {
    const files = {
      'src/wait.ts': waiting,
      'src/a.ts': `import { wait } from './wait';\n${WORKFLOW('await step(x); return wait();')}${STEP('await wait();')}`,
    };
    expect(await check(files)).toEqual(['src/a.ts:8 PAWL4001 step → wait (src/wait.ts:3:9) → sleep']);
  });

  test('what measures is wrong in the workflow alone', async () => {
    const files = {
      'src/time.ts': 'export const time = () => {\n  return process.hrtime();\n};\n',
      'src/a.ts': `import { time } from './time';\n${WORKFLOW('await step(x); return time();')}${STEP('return time();')}`,
    };
    expect(await check(files)).toEqual(['src/a.ts:4 PAWL3003 flow → time (src/time.ts:2:10) → process.hrtime']);
  });

  test('what an app calls, too, is no concern', async () => {
    const files = {
      'src/wait.ts': waiting,
      'src/app.ts': `import { wait } from './wait';\nimport { flow } from './a';\nawait wait();\nconsole.log(flow.name);\n`,
      'src/a.ts': `import { wait } from './wait';\n${WORKFLOW('return wait();')}`,
    };
    expect(await check(files)).toEqual([]);
  });
});

describe('chains', () => {
  test('name each hop, through barrels, namespaces and classes', async () => {
    const files = {
      'src/a.ts': `import { lib } from './lib';\n${WORKFLOW('return new lib.Waiter().wait(x);')}`,
      'src/lib/index.ts': `export * as lib from './waiter';\n`,
      'src/lib/waiter.ts': `import pause from './pause';\nexport class Waiter {\n  wait(x: string) {\n    return pause(x.length);\n  }\n}\n`,
      'src/lib/pause.ts': `export default function pause(ms: number) {\n  return new Promise((resolve) => setTimeout(resolve, ms));\n}\n`,
    };
    expect(await check(files)).toEqual([
      'src/a.ts:4 PAWL3004 flow → Waiter#wait (src/lib/waiter.ts:4:12) → pause (src/lib/pause.ts:2:35) → setTimeout',
    ]);
  });

  test('are cut by a comment at any hop', async () => {
    const files = (comment: string) => ({
      'src/a.ts': `import { count } from './b';\n${WORKFLOW('return count();')}`,
      'src/b.ts': `let n = 0;\nexport const count = () => {\n  ${comment}\n  return ++n;\n};\n`,
    });
    expect(await check(files(''))).toEqual(['src/a.ts:4 PAWL3005 flow → count (src/b.ts:4:12) → n']);
    expect(await check(files('// pawl-ignore PAWL3005 -- of the run'))).toEqual([]);
  });
});

describe('exactly one rule speaks', () => {
  test.each([
    [
      'of modules of Node that are timers',
      `import { setTimeout } from 'node:timers/promises';\n${WORKFLOW('await setTimeout(1);')}`,
      'PAWL3002',
    ],
    ['of a timer', WORKFLOW('setTimeout(() => {}, 1);'), 'PAWL3004'],
    ['of streams of the process', WORKFLOW('process.stdout.write(x);'), 'PAWL3002'],
    ['of clocks of the process', WORKFLOW('return process.uptime();'), 'PAWL3003'],
    ['of the next tick', WORKFLOW('process.nextTick(() => {});'), 'PAWL3004'],
    ['of the environment', WORKFLOW('return process.env.HOME;'), 'PAWL3006'],
    ['of a variable that is written to the environment', WORKFLOW('process.env.HOME = x;'), 'PAWL3005'],
    ['of a variable that was made from it', `const home = process.env.HOME;\n${WORKFLOW('return home;')}`, 'PAWL3006'],
    [
      'of an object that was made from it',
      `const o = { home: process.env.HOME, a: 1 };\n${WORKFLOW('return o.a;')}`,
      'PAWL3012',
    ],
    [
      'of a variable that was made by I/O',
      `const rates = await fetch('x');\n${WORKFLOW('return rates.ok;')}`,
      'PAWL3002',
    ],
    ['of a computed import', WORKFLOW('return import(x);'), 'PAWL3011'],
    ['of a workflow in an action', action('await flow(x);'), 'PAWL5004'],
    ['of a workflow in a step', `${WORKFLOW('return x;')}${STEP('return flow(x);')}`, 'PAWL4004'],
    ['of a step in an action', `${action('await step(x);')}${STEP('return x;')}`, 'PAWL5003'],
  ])('%s', async (_name, source, code) => {
    const { diagnostics } = await checkSources({ 'src/a.ts': source });
    expect(diagnostics.filter(({ rule }) => rule !== 'unresolved-import').map((each) => each.code)).toEqual([code]);
  });
});

function action(body: string): string {
  const run = `async ({ x }) => {\n${body}\nreturn x; }`;
  return `import { defineAction } from 'pawl';\nimport { z } from 'zod';\nexport const act = defineAction({ slug: 'act', input: z.object({ x: z.string() }), output: z.string(), run: ${run} });\n${WORKFLOW('return x;')}`;
}

describe('apps are looked at for what they do with workflows', () => {
  const flow = { 'src/flows/index.ts': `export { flow } from './flow';\n`, 'src/flows/flow.ts': WORKFLOW('return x;') };

  test.each([
    ['by its name', `import { flow } from './flows';\nawait flow('x');\n`],
    ['under another name', `import { flow as f } from './flows/flow.ts';\nexport const GET = () => f('x');\n`],
    ['of a namespace', `import * as flows from './flows';\nexport function GET() {\n  return flows.flow('x');\n}\n`],
  ])('a workflow that is called %s', async (_name, source) => {
    const found = await check({ ...flow, 'src/app.ts': source });
    expect(found.map((each) => each.replace(/:\d+/, ''))).toEqual(['src/app.ts PAWL4004']);
  });

  test('a default export', async () => {
    const files = {
      'src/ship.ts': `export default async function ship(x: string) {\n'use workflow';\nreturn x;\n}\n`,
      'src/app.ts': `import deliver from './ship';\nawait deliver('x');\n`,
    };
    expect(await check(files)).toEqual(['src/app.ts:2 PAWL4004']);
  });

  test('files that do nothing with them are not parsed', async () => {
    const app = `import { flow } from './flows';\nimport { start } from 'pawl/client';\nexport const GET = () => start(other, []);\n`;
    const { stats } = await checkSources({
      ...flow,
      'src/app.ts': app.replace('{ flow }', '{ other }'),
      'src/b.ts': 'export {};',
    });
    // The workflow's, and the barrel, which names it.
    expect(stats.modules).toBe(2);
  });
});

describe('the SDKs whose programs are checked', () => {
  test.each(['workflow', '@workflow/core', 'pawl'])('%s', async (sdk) => {
    const source = `import { sleep, getStepMetadata } from '${sdk}';\n${WORKFLOW('getStepMetadata(); await step(x);')}${STEP('await sleep(1);')}`;
    expect(await check({ 'src/a.ts': source })).toEqual(['src/a.ts:4 PAWL4002', 'src/a.ts:8 PAWL4001']);
  });

  test.each([
    ['workflow', "of 'workflow/api' makes a run"],
    ['@keystrokehq/keystroke', "of '@keystrokehq/keystroke/client' makes a run"],
    ['pawl', "of 'pawl/client' makes a run"],
  ])('remedies name the packages of %s', async (sdk, words) => {
    const { diagnostics } = await checkSources({
      'src/a.ts': `import { sleep } from '${sdk}';\n${WORKFLOW('await sleep(1);')}`,
      'src/app.ts': `import { flow } from './a';\nexport const GET = () => flow('x');\n`,
    });
    const remedies = diagnostics.flatMap(({ code, remedy }) => (code === 'PAWL4004' ? [remedy] : []));
    expect(remedies).toEqual([expect.stringContaining(words)]);
  });

  test('start of workflow/api', async () => {
    const source = action('await start(flow, [x]);');
    const files = { 'src/a.ts': `import { start } from 'workflow/api';\n${source}` };
    expect(await check(files)).toEqual(['src/a.ts:5 PAWL5004']);
  });
});
