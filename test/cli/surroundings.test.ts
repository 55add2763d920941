/** Where pawl runs: output that nobody takes, a working directory that is gone. */
import { execFile, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CLI, type CliResult, spawnCli } from '../support/cli.ts';

const root = mkdtempSync(join(tmpdir(), 'pawl-around-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

beforeAll(async () => {
  mkdirSync(join(root, 'src'));
  writeFileSync(
    join(root, 'src/main.ts'),
    `import { rmSync } from 'node:fs';
async function same(value: unknown) { 'use step'; return value; }
export async function echo(value: unknown) { 'use workflow'; return await same(value); }
async function remove() { 'use step'; for (const end of ['', '-wal', '-shm']) rmSync('.pawl/gone.db' + end, { force: true }); return 'removed'; }
export async function removing() { 'use workflow'; return await remove(); }
export async function spin() { 'use workflow'; for (;;); }
export async function odd() { 'use workflow'; same(1); }
`,
  );
  // The finding of `odd` is an error: the build needs it gone.
  writeFileSync(join(root, 'pawl.config.json'), JSON.stringify({ rules: { 'floating-step': 'warning' } }));
  expect(await spawnCli(['build'], { cwd: root })).toMatchObject({ code: 0 });
});

/** A device that is always full; only Linux has it. */
const FULL = '/dev/full';

describe.runIf(existsSync(FULL))('output that cannot be written', () => {
  const into = (full: 'stdout' | 'stderr', ...argv: string[]): Promise<{ code: number | null; text: string }> =>
    new Promise((resolve) => {
      const device = openSync(FULL, 'w');
      const stdio = full === 'stdout' ? (['ignore', device, 'pipe'] as const) : (['ignore', 'pipe', device] as const);
      const child = spawn(process.execPath, [CLI, ...argv], { cwd: root, stdio: [...stdio] });
      let text = '';
      (child.stdout ?? child.stderr)?.on('data', (data: Buffer) => {
        text += data.toString();
      });
      child.on('close', (code) => {
        closeSync(device);
        resolve({ code, text });
      });
    });

  test.each([
    ['check --no-types'],
    ['check --no-types --format json'],
    ['check --no-types --format sarif'],
    ['transform src/main.ts'],
    ['explain'],
    ['runs'],
    ['build --json'],
  ])('pawl %s', async (line) => {
    // Something to list.
    if (line === 'runs') await spawnCli(['run', 'echo', '--input', '1', '--id', 'listed'], { cwd: root });
    const { code, text } = await into('stdout', ...line.split(' '));
    expect(code).toBe(2);
    expect(text).toContain('The output cannot be written: no space left on device.');
    expect(text).toContain('Make room where the output goes, or send it elsewhere, and run the command again.');
    expect(text.match(/PAWL_OUTPUT_UNWRITABLE/g)).toHaveLength(1);
    expect(text).not.toMatch(/^\s+at .*:\d+:\d+/m);
  });

  test('pawl run goes to its end, and says where the result is', async () => {
    const { code, text } = await into('stdout', 'run', 'echo', '--input', '"kept"', '--id', 'unseen');
    expect(code).toBe(2);
    expect(text).toMatch(/^error PAWL_OUTPUT_UNWRITABLE: .*\n {2}at standard output\n {2}The run goes to its end/);
    const { stdout } = await spawnCli(['inspect', 'unseen', '--json'], { cwd: root });
    expect(JSON.parse(stdout)).toMatchObject({ status: 'completed', result: 'kept' });
  });

  test('what stderr does not take is nobody told; the result stands', async () => {
    expect(await into('stderr', 'run', 'echo', '--input', '"out"')).toEqual({ code: 0, text: '"out"\n' });
    expect(await into('stderr', 'run', 'nowhere')).toEqual({ code: 2, text: '' });
  });
});

describe('a working directory that is gone', () => {
  const lost = (line: string): Promise<CliResult> =>
    new Promise((resolve) => {
      const script = `mkdir gone && cd gone && rmdir ../gone && exec "$0" "$@"`;
      const argv = ['-c', script, process.execPath, CLI, ...line.split(' ')];
      execFile('sh', argv, { cwd: root }, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
      );
    });

  test('needs none: version and help', async () => {
    expect(await lost('--version')).toMatchObject({ code: 0, stderr: '' });
    expect(await lost('runs --help')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^pawl runs/) });
  });

  test('is told by name', async () => {
    const { code, stdout, stderr } = await lost('runs --root src');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error PAWL_NO_WORKING_DIRECTORY: .*\n {2}Change to a directory that does, or .*--root/);
  });

  test('does not matter where the root is named', async () => {
    expect(await lost(`build --root ${root}`)).toMatchObject({ code: 0 });
    expect(await lost(`run echo --input 7 --root=${root}`)).toMatchObject({ code: 0, stdout: '7\n' });
  });
});

test('a store that was deleted under a run is missed at its end', async () => {
  const { code, stdout, stderr } = await spawnCli(['run', 'removing', '--store', 'sqlite:.pawl/gone.db'], {
    cwd: root,
  });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '"removed"\n' });
  expect(stderr).toMatch(
    /^error PAWL_STORE_MISSING: The store was deleted while it was in use.*\n {2}at .*gone\.db\n {2}Keep/,
  );
});

test('code that never ends is stopped, and Node has nothing to say about it', async () => {
  const { code, stderr } = await spawnCli(['run', 'spin'], { cwd: root });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^\S+ {2}parked\nerror PAWL_WORKFLOW_TIMEOUT: .*\n$/);
}, 60_000);
