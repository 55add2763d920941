import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
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

test('a manifest that cannot be read, and a store, are errors', async () => {
  const { root, run } = await deployed();
  const missing = await run('check', '--compat', 'nowhere');
  expect(missing.code).toBe(2);
  expect(missing.stderr).toContain('PAWL_MANIFEST_MISSING');
  const store = await run('check', '--compat', 'sqlite:x.db');
  expect(store.code).toBe(2);
  expect(store.stderr).toContain('is a store, not a manifest');
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
  expect(found.stdout).toContain('Perhaps it is');
});
