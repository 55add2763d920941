/** Steps that leave their bounds: they end the process, throw where nobody catches, kill it. `pawl run` as a process. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import type { EventOf } from '../../src/store/events.ts';
import { CLI, type CliResult, spawnCli } from '../support/cli.ts';
import { ROOT } from '../support/dist.ts';

const MAIN = `import { EventEmitter, once } from 'node:events';
import { appendFileSync, existsSync } from 'node:fs';
import { FatalError, getStepMetadata } from 'pawl';

const bus = new EventEmitter();
const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
const mended = (): boolean => existsSync('mended');

async function leave(code: number) {
  'use step';
  if (mended()) return 'stayed';
  await once(bus, 'other step runs');
  process.exit(code);
}

async function other() {
  'use step';
  appendFileSync('ledger.txt', 'other\\n');
  bus.emit('other step runs');
  return mended() ? 1 : new Promise(() => {});
}

async function inTimer(times: number) {
  'use step';
  const { attempt } = getStepMetadata();
  if (attempt > times) return attempt;
  setTimeout(() => { throw new TypeError('in a timer'); }, 1);
  return new Promise(() => {});
}
inTimer.retryAfter = 1;

async function floating(fatal: boolean) {
  'use step';
  void (async () => {
    await soon();
    throw fatal ? new FatalError('for good') : new RangeError('nobody awaits this');
  })();
  return new Promise(() => {});
}
floating.maxRetries = 0;

async function tooLate() {
  'use step';
  setTimeout(() => {
    setImmediate(() => bus.emit('late'));
    throw new TypeError('after the end');
  }, 1);
  return 'done';
}

async function waitForLate() {
  'use step';
  await once(bus, 'late');
  return 'and on';
}

async function die() {
  'use step';
  if (mended()) return 'lives';
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => {});
}

async function listen() {
  'use step';
  bus.on('stray', () => { throw new Error('of nobody'); });
}

/** Emitted in nobody's name. */
if (process.env.STRAY) setInterval(() => bus.emit('stray'), 5).unref();

async function never() {
  'use step';
  return new Promise(() => {});
}

async function nap() {
  'use step';
  appendFileSync('ledger.txt', 'nap\\n');
  console.log('waiting for go');
  while (!existsSync('go')) await soon();
  return 'went';
}

export async function naps() {
  'use workflow';
  return await nap();
}

export async function exits(code: number) {
  'use workflow';
  const [stayed] = await Promise.all([leave(code), other()]);
  return stayed;
}

export async function timers(times: number) {
  'use workflow';
  return await inTimer(times);
}

export async function floats(fatal: boolean) {
  'use workflow';
  return await floating(fatal);
}

export async function lates() {
  'use workflow';
  const [, on] = await Promise.all([tooLate(), waitForLate()]);
  return on;
}

export async function strays() {
  'use workflow';
  await listen();
  return await never();
}

export async function dies() {
  'use workflow';
  return await die();
}
`;

mkdirSync(join(ROOT, '.cache'), { recursive: true });
const root = mkdtempSync(join(ROOT, '.cache/accidents-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

beforeAll(async () => {
  mkdirSync(join(root, 'src'));
  writeFileSync(join(root, 'src/main.ts'), MAIN);
  expect(await spawnCli(['build'], { cwd: root })).toMatchObject({ code: 0 });
});

beforeEach(() => {
  for (const file of ['mended', 'ledger.txt', '.pawl/pawl.db', '.pawl/pawl.db-wal', '.pawl/pawl.db-shm'])
    rmSync(join(root, file), { force: true });
});

const cli = (...argv: string[]): Promise<CliResult> => spawnCli(argv, { cwd: root });
const mend = (): void => writeFileSync(join(root, 'mended'), '');
/** Where a text stands in the program, as `src/main.ts:line:column`. */
const placeOf = (text: string): string => {
  const before = MAIN.slice(0, MAIN.indexOf(text)).split('\n');
  return `src/main.ts:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
};

describe('a step that calls process.exit()', () => {
  test.each([
    [0, 2],
    [3, 3],
  ])('with %i: what happened is told, the exit code is %i, the run goes on', async (asked, code) => {
    const first = await cli('run', 'exits', '--input', String(asked), '--id', 'x');
    expect(first).toEqual({
      code,
      stdout: '',
      stderr: `error PAWL_PROCESS_EXIT: The step src/main.ts#leave called process.exit(${asked}), and ended pawl with it.
  at ${placeOf('exit(code)')}
  Running: src/main.ts#leave, src/main.ts#other. The run x is kept: \`pawl run src/main.ts#exits --id x\` goes on. To end an attempt or a run, throw an error.
`,
    });
    mend();
    expect(await cli('run', 'src/main.ts#exits', '--id', 'x')).toMatchObject({ code: 0, stdout: '"stayed"\n' });
    expect(readFileSync(join(root, 'ledger.txt'), 'utf8')).toBe('other\nother\n');
  });

  test('with --json the error is JSON', async () => {
    const { code, stdout, stderr } = await cli('run', 'exits', '--input', '0', '--json');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'PAWL_PROCESS_EXIT', place: placeOf('exit(code)') } });
  });
});

describe('an error that nobody catches', () => {
  test('in a timer: the attempt fails, and is made again', async () => {
    expect(await cli('run', 'timers', '--input', '2')).toEqual({ code: 0, stdout: '3\n', stderr: '' });
  });

  test('again and again: the step fails with it', async () => {
    const { code, stderr } = await cli('run', 'timers', '--input', '9');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /error PAWL_STEP_UNCAUGHT: The step threw where nobody could catch it, .*: TypeError: in a timer\n {2}Await every promise/,
    );
    expect(stderr).toContain(placeOf('new TypeError('));
    expect(stderr).not.toMatch(/dist\/|node:internal/);
  });

  test('in a promise that nobody awaits', async () => {
    const { code, stderr } = await cli('run', 'floats', '--input', 'false');
    expect(code).toBe(1);
    expect(stderr).toMatch(/error PAWL_STEP_UNCAUGHT: .*: RangeError: nobody awaits this\n/);
  });

  test('one that says what shall be done is obeyed', async () => {
    const { code, stderr } = await cli('run', 'floats', '--input', 'true', '--id', 'f');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^f {2}failed in .*\nFatalError: for good\n/);
  });

  test('when the step has ended: told, and the run goes on', async () => {
    const { code, stdout, stderr } = await cli('run', 'lates');
    expect({ code, stdout }).toEqual({ code: 0, stdout: '"and on"\n' });
    expect(
      stderr,
    ).toBe(`error PAWL_STEP_LATE_ERROR: The step src/main.ts#tooLate had ended when something that it left behind threw: TypeError: after the end
  at ${placeOf("new TypeError('after")}
  Its result stands. Await every promise, and stop timers before the step returns.
`);
  });

  test('of no step: pawl ends, and says what was running and how it goes on', async () => {
    const { code, stderr } = await spawnCli(['run', 'strays', '--id', 's'], { cwd: root, env: { STRAY: '1' } });
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^error PAWL_UNCAUGHT: An error was thrown that nobody caught, and no step: Error: of nobody\n/,
    );
    expect(stderr).toContain(`  at ${placeOf("new Error('of nobody')")}\n`);
    expect(stderr).toMatch(/The run s is kept: `pawl run src\/main\.ts#strays --id s` goes on\.$/m);
    expect(JSON.parse((await cli('runs', '--json')).stdout)).toMatchObject([{ id: 's', status: 'running' }]);
  });
});

test('a step that kills the process again and again is parked; once mended, its run goes on', {
  timeout: 120_000,
}, async () => {
  const die = (): Promise<CliResult> => cli('run', 'dies', '--id', 'd');
  for (let deaths = 0; deaths < 3; deaths++) expect((await die()).code).not.toBe(1);
  // Processes that die take their time: seven more are noted as they would have been.
  const store = await openStore(`sqlite:${join(root, '.pawl/pawl.db')}`);
  await store.registerOwner('test', 60_000);
  const claimed = await store.claimRun('d', { owner: 'test', now: Date.now() });
  if (!claimed.ok) throw new Error(claimed.reason);
  const { fence, lastSeq: afterSeq } = claimed.run;
  const attempts = (await store.readEvents('d')).filter(({ type }) => type === 'step_started');
  expect(attempts.map(({ attempt }) => attempt)).toEqual([2, 3]);
  const { cid, meta } = attempts[1] as EventOf<'step_started'>;
  const events = [4, 5, 6, 7, 8, 9, 10].map(
    (attempt) => ({ type: 'step_started', at: Date.now(), cid, attempt, meta }) as const,
  );
  expect(await store.append({ runId: 'd', fence, afterSeq, events })).toMatchObject({ ok: true });
  await store.removeOwner('test');
  await store.close();
  expect((await die()).code).not.toBe(1);
  const last = await die();
  expect(last.code).toBe(1);
  expect(last.stderr).toMatch(
    /error PAWL_STEP_CRASHES: The process died 11 times while the step src\/main\.ts#die ran/,
  );
  expect((await cli('runs')).stdout).toMatch(/^d {2}parked .*\n {2}PAWL_STEP_CRASHES: /);
  // Someone wants it to try again: the count begins anew.
  expect((await cli('run', 'dies', '--id', 'd')).code).not.toBe(1);
  mend();
  expect(await cli('run', 'dies', '--id', 'd')).toMatchObject({ code: 0, stdout: '"lives"\n' });
});

test('a run takes no other run of the store with it, nor is it taken by one', async () => {
  await cli('run', 'exits', '--input', '0', '--id', 'left');
  rmSync(join(root, 'ledger.txt'));
  expect(await cli('run', 'lates', '--id', 'fine')).toMatchObject({ code: 0 });
  expect(existsSync(join(root, 'ledger.txt'))).toBe(false);
});

describe('a run that another process has', () => {
  interface Started {
    pid: number;
    kill(): void;
    /** Resolves when stderr has the text. */
    says(text: string): Promise<void>;
    result: Promise<CliResult>;
  }

  function start(...argv: string[]): Started {
    let said = '';
    let check = (): void => {};
    const child = spawn(process.execPath, [CLI, 'run', ...argv], { cwd: root, env: { ...process.env, NO_COLOR: '1' } });
    let stdout = '';
    child.stdout.on('data', (text) => {
      stdout += text;
    });
    child.stderr.on('data', (text) => {
      said += text;
      check();
    });
    return {
      pid: child.pid ?? 0,
      kill: () => child.kill('SIGKILL'),
      says: (text) =>
        new Promise((resolve) => {
          check = () => {
            if (said.includes(text)) resolve();
          };
          check();
        }),
      result: new Promise((resolve) => {
        child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr: said }));
      }),
    };
  }
  const go = (): void => writeFileSync(join(root, 'go'), '');
  beforeEach(() => rmSync(join(root, 'go'), { force: true }));

  test('who comes later says so, and shows its end', { timeout: 60_000 }, async () => {
    const first = start('naps', '--id', 'o');
    await first.says('waiting for go');
    const second = start('naps', '--id', 'o');
    await second.says(
      `the run o is in the hands of another process (${first.pid}), which is alive; waiting for its end\n`,
    );
    go();
    expect(await first.result).toMatchObject({ code: 0, stdout: '"went"\n' });
    expect(await second.result).toMatchObject({ code: 0, stdout: '"went"\n' });
    expect(readFileSync(join(root, 'ledger.txt'), 'utf8')).toBe('nap\n');
  });

  test('when that process dies, it goes on in the other', { timeout: 60_000 }, async () => {
    const first = start('naps', '--id', 'o');
    await first.says('waiting for go');
    const second = start('naps', '--id', 'o');
    await second.says('waiting for its end');
    first.kill();
    await second.says('the process that had the run o is gone; it goes on here\n');
    go();
    expect(await second.result).toMatchObject({ code: 0, stdout: '"went"\n' });
    expect(readFileSync(join(root, 'ledger.txt'), 'utf8')).toBe('nap\nnap\n');
  });

  test('two that start it at once: one does, both show its end', { timeout: 60_000 }, async () => {
    go();
    const results = await Promise.all([1, 2, 3].map(() => start('naps', '--id', 'once').result));
    expect(results.map(({ code, stdout }) => [code, stdout])).toEqual(results.map(() => [0, '"went"\n']));
    expect(readFileSync(join(root, 'ledger.txt'), 'utf8')).toBe('nap\n');
  });
});
