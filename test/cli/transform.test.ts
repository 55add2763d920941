import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCli } from '../support/cli.ts';
import { temporaryProject } from '../support/project.ts';

const SOURCE = `export async function charge(amount: number) {
  'use step';
  return amount * 2;
}

export async function fulfil(amount: number) {
  'use workflow';
  return charge(amount);
}
`;

function project(files: Record<string, string>) {
  const root = temporaryProject(files);
  return { root, transform: (...argv: string[]) => runCli(['transform', ...argv], { cwd: root }) };
}

describe('pawl transform', () => {
  test.each([
    ['workflow', /__pawl_call\("src\/a\.ts#charge", /, 'amount * 2'],
    ['step', /amount \* 2/, 'return charge(amount)'],
    ['client', /src\/a\.ts#fulfil/, 'return charge(amount)'],
  ])('shows the target %s', async (target, shown, gone) => {
    const { transform } = project({ 'src/a.ts': SOURCE });
    const { code, stdout, stderr } = await transform('src/a.ts', '--target', target);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(shown);
    expect(stdout).not.toContain(gone);
  });

  test('the workflow target unless told', async () => {
    const { transform } = project({ 'src/a.ts': SOURCE });
    expect(await transform('src/a.ts')).toEqual(await transform('src/a.ts', '--target', 'workflow'));
  });

  test('--map is the source map of the file', async () => {
    const { transform } = project({ 'src/a.ts': SOURCE });
    const map = JSON.parse((await transform('src/a.ts', '--map')).stdout);
    expect(map).toMatchObject({ version: 3, sources: ['src/a.ts'], sourcesContent: [SOURCE] });
  });

  test('--json has code, map and findings', async () => {
    const { transform } = project({
      'src/a.ts': SOURCE,
      'src/b.ts': `${SOURCE}export function no() { 'use step'; }\n`,
    });
    expect(JSON.parse((await transform('src/a.ts', '--json')).stdout)).toMatchObject({
      target: 'workflow',
      code: expect.stringContaining('__pawl_call'),
      map: { version: 3 },
      diagnostics: [],
    });
    const broken = await transform('src/b.ts', '--json');
    expect(broken.code).toBe(1);
    expect(JSON.parse(broken.stdout).diagnostics).toMatchObject([{ code: 'PAWL1002', line: 10 }]);
  });

  test('a file without a directive is its own output', async () => {
    const { transform } = project({ 'src/a.ts': 'export const a: number = 1;\n' });
    expect(await transform('src/a.ts')).toEqual({ code: 0, stdout: 'export const a: number = 1;\n', stderr: '' });
    expect(await transform('src/a.ts', '--map')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringContaining('nothing to map'),
    });
  });

  test('findings go to stderr with their frame, exit code 1', async () => {
    const { transform } = project({ 'src/a.ts': SOURCE.replace('async ', '') });
    const { code, stderr } = await transform('src/a.ts');
    expect(code).toBe(1);
    expect(stderr).toContain('> 1 | export function charge(amount: number) {');
  });

  test.each([
    ['a file that does not exist', ['src/gone.ts'], 'PAWL_FILE_NOT_FOUND'],
    ['a directory', ['src'], 'PAWL_FILE_UNREADABLE'],
    ['no file', [], 'PAWL_USAGE'],
    ['a target that does not exist', ['src/a.ts', '--target', 'server'], 'PAWL_USAGE'],
  ])('%s: exit code 2', async (_name, argv, code) => {
    const { root, transform } = project({ 'src/a.ts': SOURCE });
    const result = await transform(...argv);
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toContain(`error ${code}: `);
    if (code.startsWith('PAWL_FILE')) expect(result.stderr).toContain(join(root, argv[0] as string));
  });
});
