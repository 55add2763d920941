/** What one process tells others of through PostgreSQL: also when it ends with the answer. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { ROOT } from '../support/dist.ts';
import { postgresUrl } from './support/postgres.ts';

test('what waits for a worker is told before the request is answered', async () => {
  const url = postgresUrl();
  const store = await openStore(url);
  onTestFinished(() => store.close());
  let heard = (): void => {};
  const listening = new Promise<void>((resolve) => {
    heard = resolve;
  });
  store.subscribe(() => heard());
  // It says once that it begins to listen.
  await listening;
  const told = new Promise<void>((resolve) => {
    heard = resolve;
  });
  const runtime = pathToFileURL(join(ROOT, 'dist/runtime.js')).href;
  const run = { id: 'r', workflowId: 'w', seed: 's', bundleHash: null, input: null, at: 1 };
  const script = `import { openStore } from ${JSON.stringify(runtime)};
    const store = await openStore(${JSON.stringify(url)});
    await store.createRun(${JSON.stringify(run)});
    process.exit(0);`;
  await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  await told;
  expect(await store.getRun('r')).toMatchObject({ status: 'pending' });
});
