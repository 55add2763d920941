import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createWorker } from '../../src/runtime/worker.ts';
import { openStore } from '../../src/store/open.ts';
import { loadSqlite } from '../../src/store/sqlite/driver.ts';
import { runCli } from '../support/cli.ts';
import { temporaryProject } from '../support/project.ts';

const CHARGE = `export async function charge(amount: number) {
  'use step';
  return amount;
}
`;
const FULFIL = `
export async function fulfil(amount: number) {
  'use workflow';
  return await charge(amount);
}
`;

/** A project whose first version was built and put aside. */
async function deployed() {
  const root = temporaryProject({ 'src/orders.ts': CHARGE + FULFIL });
  const run = (...argv: string[]) => runCli(argv, { cwd: root });
  expect(await run('build')).toMatchObject({ code: 0 });
  renameSync(join(root, '.pawl'), join(root, '.deployed'));
  const write = (file: string, text: string): void => writeFileSync(join(root, file), text);
  return { root, run, write };
}

test('a build that strands nothing is silent', async () => {
  const { run, write } = await deployed();
  write(
    'src/orders.ts',
    `${CHARGE}${FULFIL.replace('return await', 'const paid = await').replace(';\n}', ';\n  return paid;\n}')}`,
  );
  expect(await run('check', '--compat', '.deployed')).toEqual({ code: 0, stdout: '', stderr: '' });
});

test('a step that moved is named, and --fix pins its id', async () => {
  const { root, run, write } = await deployed();
  write('src/payments.ts', CHARGE);
  write('src/orders.ts', `import { charge } from './payments.ts';\n${FULFIL}`);
  const found = await run('check', '--compat', '.deployed', '--format', 'tsc');
  expect(found.code).toBe(1);
  expect(found.stdout).toContain(
    'src/payments.ts(1,8): error PAWL8001: The step `src/orders.ts#charge` of the deployed build is gone',
  );
  expect(await run('check', '--compat', '.deployed', '--fix')).toMatchObject({ code: 0 });
  expect(readFileSync(join(root, 'src/payments.ts'), 'utf8')).toBe(
    `${CHARGE.trimEnd()}\ncharge.stepId = 'src/orders.ts#charge';\n`,
  );
});

test('a manifest that cannot be read, and a store that is not there, are errors', async () => {
  const { root, run } = await deployed();
  const missing = await run('check', '--compat', 'nowhere');
  expect(missing.code).toBe(2);
  expect(missing.stderr).toContain('PAWL_MANIFEST_MISSING');
  const store = await run('check', '--compat', 'sqlite:x.db');
  expect(store.code).toBe(2);
  expect(store.stderr).toContain('PAWL_STORE_MISSING');
  const other = await run('check', '--compat', 'mysql://x/y');
  expect(other.code).toBe(2);
  expect(other.stderr).toContain('PAWL_STORE_UNSUPPORTED');
  writeFileSync(join(root, '.deployed/manifest.json'), '{}');
  expect((await run('check', '--compat', '.deployed')).code).toBe(2);
});

test('a program that does not compile is told of that, and not compared', async () => {
  const { run, write } = await deployed();
  write('src/orders.ts', CHARGE.replace('async ', ''));
  const found = await run('check', '--compat', '.deployed', '--format', 'tsc');
  expect(found.code).toBe(1);
  expect(found.stdout).toContain('PAWL1002');
  expect(found.stdout).not.toContain('PAWL8');
});

test('rules are set in the configuration', async () => {
  const { run, write } = await deployed();
  write('src/orders.ts', (CHARGE + FULFIL).replaceAll('charge', 'pay'));
  write('pawl.config.json', '{ "rules": { "id-removed": "warn" } }');
  const found = await run('check', '--compat', '.deployed');
  expect(found).toMatchObject({ code: 0 });
  expect(found.stdout).toContain('warning PAWL8001');
  expect(found.stdout).toContain('It is `src/orders.ts#pay` now');
});

describe('a store', () => {
  const APPROVAL = `import { createHook } from 'pawl';
${CHARGE}
export async function refund(amount: number) {
  'use step';
  return -amount;
}

export async function approve(amount: number) {
  'use workflow';
  const approved = await createHook<boolean>({ token: 'approve:' + amount });
  return approved ? await charge(amount) : await refund(amount);
}

export async function settle(amount: number) {
  'use workflow';
  await createHook({ token: 'settle:' + amount });
  return amount;
}
`;

  /** A project with runs: two of `approve` that wait, one of `settle`, one of `approve` that ended, and one that nobody has begun. */
  async function inFlight() {
    const root = temporaryProject({ 'src/orders.ts': APPROVAL });
    const run = (...argv: string[]) => runCli(argv, { cwd: root });
    expect(await run('build')).toMatchObject({ code: 0 });
    const url = `sqlite:${join(root, '.pawl/pawl.db')}`;
    const store = await openStore(url);
    let waiting = 0;
    let told: () => void = () => {};
    const worker = await createWorker({
      manifest: join(root, '.pawl'),
      store,
      onEvent: ({ type }) => {
        if (type === 'hook-created') waiting++;
        told();
      },
    });
    const start = (name: string, n: number) =>
      worker.startRun({ workflowId: `src/orders.ts#${name}`, args: [n], runId: `${name}-${n}` });
    for (const n of [1, 2, 3]) await start('approve', n);
    await start('settle', 4);
    while (waiting < 4) await new Promise<void>((resolve) => (told = resolve));
    await worker.resumeHook('approve:3', true);
    await worker.whenEnded('approve-3');
    await worker.close();
    await store.createRun({
      id: 'fresh',
      workflowId: 'src/orders.ts#settle',
      seed: 's',
      bundleHash: null,
      input: null,
      at: Date.now(),
    });
    return { root, run, store, url, write: (text: string) => writeFileSync(join(root, 'src/orders.ts'), text) };
  }

  test('tells which of its runs a deploy would park', async () => {
    const { root, run, store, write } = await inFlight();
    expect(await run('check', '--compat', 'sqlite:.pawl/pawl.db')).toEqual({ code: 0, stdout: '', stderr: '' });

    write(APPROVAL.replaceAll('refund', 'payBack'));
    const renamed = await run('check', '--compat', 'sqlite:.pawl/pawl.db', '--format', 'json');
    expect(renamed).toMatchObject({ code: 1, stderr: '' });
    expect(JSON.parse(renamed.stdout)).toMatchObject([
      {
        code: 'PAWL8001',
        file: 'src/orders.ts',
        message:
          "The step `src/orders.ts#refund` of the deployed build is gone: runs in flight that come to it are parked. In flight: approve-2, approve-1. It is `src/orders.ts#payBack` now. Keep the old id: `payBack.stepId = 'src/orders.ts#refund'`.",
      },
    ]);

    // What no run in flight can come to may go; a workflow may, too, when its runs have begun.
    write(
      APPROVAL.slice(0, APPROVAL.indexOf('export async function approve')).concat(
        APPROVAL.slice(APPROVAL.indexOf('export async function settle')),
      ),
    );
    expect(await run('check', '--compat', 'sqlite:.pawl/pawl.db')).toMatchObject({ code: 0, stdout: '' });

    write(APPROVAL.replaceAll('settle', 'close'));
    const gone = await run('check', '--compat', `sqlite:${join(root, '.pawl/pawl.db')}`, '--format', 'json');
    expect(JSON.parse(gone.stdout)).toMatchObject([
      {
        code: 'PAWL8001',
        message: expect.stringMatching(/^The workflow `src\/orders\.ts#settle` .* In flight: fresh\. /),
      },
    ]);
    await store.close();
  });

  test('that does not know the build of its runs tells of the steps that they wait for', async () => {
    const { run, store, url, write } = await inFlight();
    await store.registerOwner('test', 60_000);
    const claimed = await store.claimRun('approve-1', { owner: 'test', now: Date.now() });
    if (!claimed.ok) throw new Error(claimed.reason);
    const { fence, lastSeq } = claimed.run;
    const event = { type: 'step_scheduled', at: Date.now(), cid: 9, name: 'src/orders.ts#charge', data: null } as const;
    expect(await store.append({ runId: 'approve-1', fence, afterSeq: lastSeq, events: [event] })).toMatchObject({
      ok: true,
    });
    await store.close();
    const db = new (await loadSqlite())(url.slice('sqlite:'.length));
    db.exec('UPDATE bundles SET manifest = NULL');
    db.close();
    write(APPROVAL.replaceAll('charge', 'pay').replaceAll('refund', 'payBack'));
    const { code, stdout, stderr } = await run('check', '--compat', url, '--format', 'json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject([
      { code: 'PAWL8001', message: expect.stringMatching(/`src\/orders\.ts#charge` .* In flight: approve-1\. /) },
    ]);
    expect(stderr).toMatch(
      /^of 3 runs the store does not know the build \(sha256-\w+\): only the steps that they wait for were looked at$/m,
    );
  });
});
