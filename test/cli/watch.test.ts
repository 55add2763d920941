/** `pawl check --watch`: one outcome for one change. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { Rounds } from '../../src/cli/rounds.ts';
import { SeenFiles } from '../../src/cli/seen-files.ts';
import { CLI } from '../support/cli.ts';
import { temporaryProject } from '../support/project.ts';

describe('rounds', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** Work that ends when it is told to. */
  function work() {
    const ends: (() => void)[] = [];
    let atOnce = 0;
    const log = { begun: 0, most: 0 };
    const rounds = new Rounds(async () => {
      log.begun++;
      atOnce++;
      log.most = Math.max(log.most, atOnce);
      await new Promise<void>((end) => ends.push(end));
      atOnce--;
    }, 60);
    const finish = async () => {
      ends.shift()?.();
      await vi.advanceTimersByTimeAsync(0);
    };
    return { rounds, log, finish };
  }

  test('changes that come together are one', async () => {
    const { rounds, log } = work();
    for (let i = 0; i < 10; i++) {
      rounds.changed();
      await vi.advanceTimersByTimeAsync(59);
    }
    expect(log.begun).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(log.begun).toBe(1);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(log.begun).toBe(1);
  });

  test('changes during the work are one more round, when it has ended', async () => {
    const { rounds, log, finish } = work();
    rounds.begin();
    for (let i = 0; i < 5; i++) {
      rounds.changed();
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(log.begun).toBe(1);
    await finish();
    expect(log.begun).toBe(2);
    await finish();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(log).toEqual({ begun: 2, most: 1 });
  });

  test('a change that has not ended with the work is waited for', async () => {
    const { rounds, log, finish } = work();
    rounds.begin();
    rounds.changed();
    await vi.advanceTimersByTimeAsync(100);
    rounds.changed();
    await vi.advanceTimersByTimeAsync(30);
    await finish();
    expect(log.begun).toBe(1);
    await vi.advanceTimersByTimeAsync(30);
    expect(log.begun).toBe(2);
    await finish();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(log.begun).toBe(2);
  });

  test('the end waits for the work, and nothing follows', async () => {
    const { rounds, log, finish } = work();
    rounds.begin();
    rounds.changed();
    await vi.advanceTimersByTimeAsync(60);
    rounds.changed();
    let ended = false;
    const end = rounds.end().then(() => {
      ended = true;
    });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(ended).toBe(false);
    await finish();
    await end;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(log.begun).toBe(1);
  });
});

const workflow = (name: string): string =>
  `export async function ${name}() {\n  'use workflow';\n  await fetch('x');\n}\n`;

describe('a process', () => {
  /** Its output goes to a file of the project, which is a change of it. */
  function watched(output: string, format: string, files: Record<string, string> = {}) {
    const root = temporaryProject({
      'package.json': '{}',
      'src/a.ts': workflow('first'),
      'src/b.css': '',
      ...files,
    });
    const file = join(root, output);
    const stdout = openSync(file, 'w');
    const child = spawn(process.execPath, [CLI, 'check', '--watch', '--no-types', '--format', format], {
      cwd: root,
      stdio: ['ignore', stdout, 'pipe'],
      env: { ...process.env, NO_COLOR: '1' },
    });
    closeSync(stdout);
    onTestFinished(() => void child.kill('SIGKILL'));
    let notes = '';
    let wake = (): void => {};
    child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
      notes += piece;
      wake();
    });
    const count = (text: string) => notes.split(text).length - 1;
    return {
      root,
      output: () => readFileSync(file, 'utf8'),
      rounds: () => count('files changed'),
      /** Until it has been looked at all that changed `n` times. */
      until: (n: number) =>
        new Promise<void>((resolve) => {
          wake = () => count('watching for changes') > n && resolve();
          wake();
        }),
      end: () => {
        const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
        child.kill('SIGINT');
        return exit;
      },
    };
  }

  test.each([
    ['findings.json', 'json'],
    ['check.log', 'tsc'],
    ['src/findings.ts', 'tsc'],
  ])('one change, one outcome, also where that is written to %s', async (output, format) => {
    const { root, until, rounds, end, output: written } = watched(output, format);
    await until(0);
    const names = ['first'];
    // What one of these sets off too much is counted by the next.
    const saves: Record<string, (text: string) => void> = {
      second: (text) => writeFileSync(join(root, 'src/a.ts'), text),
      third: (text) => {
        writeFileSync(join(root, 'src/.a.swp'), text);
        renameSync(join(root, 'src/.a.swp'), join(root, 'src/a.ts'));
      },
      fourth: (text) => {
        writeFileSync(join(root, 'src/b.css'), text);
        writeFileSync(join(root, 'src/a.ts'), text);
      },
    };
    for (const [name, save] of Object.entries(saves)) {
      save(workflow(name));
      names.push(name);
      await until(names.length - 1);
      expect(rounds()).toBe(names.length - 1);
    }
    expect(await end()).toBe(1);
    expect([...written().matchAll(/Workflow `(\w+)` calls/g)].map((match) => match[1])).toEqual(names);
  });

  test('a package that an import waits for is noticed when it is installed', async () => {
    const {
      root,
      until,
      end,
      output: written,
    } = watched('check.log', 'tsc', {
      'node_modules/other/package.json': '{ "name": "other" }',
      'src/a.ts': "import { two } from 'two';\nexport async function step() { 'use step'; return two; }\n",
    });
    await until(0);
    mkdirSync(join(root, 'node_modules/two'));
    writeFileSync(join(root, 'node_modules/two/index.js'), 'export const two = 2;');
    writeFileSync(join(root, 'node_modules/two/package.json'), '{ "name": "two", "main": "./index.js" }');
    await until(1);
    expect(await end()).toBe(0);
    expect(written().match(/PAWL\d+/g)).toEqual(['PAWL9006']);
  });
});

describe('what was seen of files', () => {
  function seen(files: Record<string, string>) {
    const root = temporaryProject(files);
    const taken = new SeenFiles();
    const at = (file: string) => join(root, file);
    taken.take(Object.keys(files).map(at), Number.POSITIVE_INFINITY);
    const change = (file: string, text: string | null) => {
      if (text === null) rmSync(at(file));
      else writeFileSync(at(file), text);
      taken.note(at(file));
    };
    return { taken, change, at };
  }

  test('many writes with one text in the end are one change', () => {
    const { taken, change } = seen({ 'a.ts': '1' });
    for (const text of ['2', '3', '4']) change('a.ts', text);
    expect(taken.differ()).toBe(true);
    change('a.ts', '4');
    expect(taken.differ()).toBe(false);
    change('a.ts', null);
    expect(taken.differ()).toBe(true);
    change('a.ts', '4');
    expect(taken.differ()).toBe(true);
  });

  test('a file that was half written when it was looked at counts as it was read', () => {
    const { taken, change } = seen({ 'a.ts': '1' });
    change('a.ts', '');
    expect(taken.differ()).toBe(true);
    taken.correct(() => '2');
    change('a.ts', '\uFEFF2');
    expect(taken.differ()).toBe(false);
  });

  test('a file with other times has not changed', () => {
    const { taken, at } = seen({ 'a.ts': '1' });
    utimesSync(at('a.ts'), 1, 1);
    taken.note(at('a.ts'));
    expect(taken.differ()).toBe(false);
  });

  test('a file that is gone for a moment has not changed', () => {
    const { taken, change } = seen({ 'a.ts': '1', 'b.css': '1' });
    for (const file of ['a.ts', 'b.css']) {
      change(file, null);
      change(file, '1');
    }
    expect(taken.differ()).toBe(false);
  });

  test('what was written since is not taken as seen', () => {
    const { taken, at, change } = seen({});
    writeFileSync(at('a.ts'), '1');
    taken.take([at('a.ts')], 0);
    change('a.ts', '1');
    expect(taken.differ()).toBe(true);
  });

  test('notes count where something waits for them, and when they go', () => {
    const { taken, at } = seen({ 'b.md': '1', 'b.css': '1' });
    expect(taken.concerns('change', at('b.md'), true)).toBe(false);
    expect(taken.concerns('add', at('c.md'), false)).toBe(false);
    expect(taken.concerns('add', at('c.md'), true)).toBe(true);
    expect(taken.concerns('add', at('c.css'), false)).toBe(true);
    expect(taken.concerns('unlink', at('b.md'), false)).toBe(true);
    expect(taken.concerns('change', at('a.tsx'), false)).toBe(true);
  });
});
