/** A check that says nothing because there was nothing to look at says that; to people, not to programs. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type CliResult, runCli } from '../support/cli.ts';
import { temporaryProject } from '../support/project.ts';

const STEP = `export async function work() { 'use step'; return 1; }\n`;
const HELPER = 'export const twice = (n: number) => n * 2;\n';
const MACHINES = ['json', 'sarif', 'github', 'gitlab', 'junit'];

function project(files: Record<string, string>): (...argv: string[]) => Promise<CliResult> {
  const root = temporaryProject(files);
  mkdirSync(join(root, 'empty'));
  return (...argv) => runCli(['check', ...argv], { cwd: root });
}

test('an empty directory', async () => {
  const projects: Record<string, string>[] = [{}, { 'src/a.ts': STEP }];
  for (const files of projects) {
    const check = project(files);
    expect(await check('empty')).toEqual({
      code: 0,
      stdout: '',
      stderr: 'there is no source file in empty: nothing was checked\n',
    });
    for (const format of MACHINES)
      expect(await check('empty', '--format', format)).toMatchObject({ code: 0, stderr: '' });
    expect(await check('empty', '--json')).toEqual({ code: 0, stdout: '[]\n', stderr: '' });
  }
});

test('a directory and a file without steps and workflows', async () => {
  const check = project({ 'src/a.ts': STEP, 'src/lib/b.ts': HELPER, 'src/lib/c.ts': HELPER });
  expect(await check('src/lib')).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(
      /^there is no step and no workflow in 2 files of src\/lib; pawl checks functions that/,
    ),
  });
  expect(await check('src/lib/b.ts')).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/^there is no step and no workflow in src\/lib\/b\.ts; /),
  });
  expect(await check('src/lib', '--json')).toEqual({ code: 0, stdout: '[]\n', stderr: '' });
  expect(await check('src')).toEqual({ code: 0, stdout: '', stderr: '' });
});

test('a project without steps and workflows', async () => {
  const check = project({ 'src/b.ts': HELPER });
  expect(await check()).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/^there is no step and no workflow in 1 file; /),
  });
  expect(await check('--format', 'json')).toEqual({ code: 0, stdout: '[]\n', stderr: '' });
});

test('a project without any source file has nothing to check: that may be a mistake in `entries`', async () => {
  const { code, stderr } = await project({})();
  expect(stderr).toMatch(/^error PAWL_NO_ENTRIES: There is no source file to check\./);
  expect(code).toBe(2);
});
