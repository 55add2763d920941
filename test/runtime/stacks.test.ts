import { afterAll, expect, test } from 'vitest';
import { summarizeError } from '../../src/runtime/inspect.ts';
import { createTestRuntime, type TestRuntime } from '../../src/testing/index.ts';

let runtime: TestRuntime | undefined;
afterAll(() => runtime?.close());

const SOURCES = {
  'src/helper.ts': `export interface Order { id: string; lines?: { price: number }[] }

export function total(order: Order): number {
  // Thrown by the engine itself, not by a throw statement.
  return order.lines!.reduce((sum, line) => sum + line.price, 0);
}
`,
  'src/main.ts': `import { FatalError } from 'pawl';
import { total, type Order } from './helper.ts';

async function charge(order: Order): Promise<number> {
  'use step';
  return refuse(order);
}

function refuse(order: Order): never {
  throw new FatalError(\`no \${order.id}\`, {
    cause: new RangeError('deep'),
  });
}

export async function inStep(order: Order) {
  'use workflow';
  return charge(order);
}

export async function inWorkflow(order: Order) {
  'use workflow';
  await Promise.resolve();
  return total(order);
}

export async function wrapped(order: Order) {
  'use workflow';
  try {
    await charge(order);
  } catch (error) {
    throw new Error('could not charge', { cause: error });
  }
}
`,
};

async function failure(workflow: string) {
  runtime ??= await createTestRuntime({ sources: SOURCES });
  const run = await runtime.start(workflow, [{ id: 'o1' }]);
  const error = (await run.returnValue.catch((thrown: unknown) => thrown)) as Error & { cause: Error };
  const recorded = (await run.events()).at(-1);
  return { error: error.cause, summary: summarizeError(recorded?.data ?? '') };
}

test('an error thrown in a step shows the user’s lines and columns, recorded and as it arrives', async () => {
  const { error, summary } = await failure('inStep');
  expect(error.stack).toBe(
    ['FatalError: no o1', '    at refuse (src/main.ts:10:9)', '    at charge (src/main.ts:6:10)'].join('\n'),
  );
  expect(summary).toMatchObject({
    name: 'FatalError',
    message: 'no o1',
    place: { file: 'src/main.ts', line: 10, column: 9 },
    cause: { name: 'RangeError', message: 'deep', place: { file: 'src/main.ts', line: 11, column: 12 } },
  });
});

test('an error of the engine in workflow code shows the helper’s place and the callers', async () => {
  const { error, summary } = await failure('inWorkflow');
  expect(error.message).toMatch(/Cannot read properties of undefined/);
  const frames = error.stack?.split('\n').slice(1);
  expect(frames).toEqual([
    '    at total (src/helper.ts:5:23)',
    expect.stringMatching(/inWorkflow \(src\/main\.ts:23:10\)$/),
  ]);
  expect(summary.place).toEqual({ file: 'src/helper.ts', line: 5, column: 23 });
});

test('a cause from a step keeps its place when a workflow wraps it', async () => {
  const { summary } = await failure('wrapped');
  expect(summary).toMatchObject({
    message: 'could not charge',
    place: { file: 'src/main.ts', line: 31, column: 11 },
    cause: { message: 'no o1', place: { file: 'src/main.ts', line: 10 }, cause: { message: 'deep' } },
  });
});
