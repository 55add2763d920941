import { afterEach, expect, test } from 'vitest';
import { createTestRuntime, type TestRuntime } from '../../src/testing/index.ts';

let runtime: TestRuntime | undefined;
afterEach(() => runtime?.close());

test('retries of parallel steps that come due one after another all take place', async () => {
  runtime = await createTestRuntime({
    sources: {
      'src/main.ts': `
        import { getStepMetadata, RetryableError } from 'pawl';
        async function ship(wait: number) {
          'use step';
          if (getStepMetadata().attempt < 2) throw new RetryableError('later', { retryAfter: wait });
          return wait;
        }
        export async function main() {
          'use workflow';
          return Promise.all([ship(100), ship(101), ship(200), ship(5_000)]);
        }
      `,
    },
  });
  const run = await runtime.start('main', []);
  await runtime.advance('1m');
  expect(await run.returnValue).toEqual([100, 101, 200, 5_000]);
});
