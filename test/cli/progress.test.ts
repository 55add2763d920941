import { expect, test } from 'vitest';
import { formatDuration } from '../../src/cli/format.ts';
import { Output } from '../../src/cli/output.ts';
import { createProgress } from '../../src/cli/progress.ts';
import { Timeline } from '../../src/cli/timeline.ts';
import type { RunEvent } from '../../src/store/events.ts';

/** What a terminal shows after the writes: it knows the two controls that progress uses. */
function screenOf(written: string): string[] {
  let lines: string[] = [];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what terminals are told.
  for (const part of written.split(/(\u001B\[\d+A\u001B\[0J)/)) {
    const up = /^\u001B\[(\d+)A/.exec(part)?.[1];
    if (up) lines = lines.slice(0, lines.length - Number(up));
    else lines.push(...part.split('\n').slice(0, -1));
  }
  return lines.map((line) => line.trimEnd());
}

function terminal(isTTY: boolean) {
  const parts: string[] = [];
  const stderr = { write: (text: string) => parts.push(text), isTTY, columns: 60 };
  const out = new Output({ stdout: stderr, stderr, env: { NO_COLOR: '1' }, json: false });
  return { out, screen: () => screenOf(parts.join('')) };
}

const base = { cid: null, name: null, attempt: null, data: null, meta: null };
const event = (seq: number, at: number, rest: object): RunEvent => ({ ...base, seq, at, ...rest }) as RunEvent;

test('finished commands stay, others are drawn again', () => {
  const { out, screen } = terminal(true);
  const timeline = new Timeline();
  let now = 0;
  const progress = createProgress(timeline, 'fulfil  run-1', out, () => now);
  const add = (...rest: Parameters<typeof event>) => {
    now = rest[1];
    progress.update(timeline.add(event(...rest)));
  };
  add(2, 0, { type: 'step_scheduled', cid: 1, name: 'src/a.ts#charge' });
  add(3, 0, { type: 'step_scheduled', cid: 2, name: 'src/a.ts#pack' });
  expect(screen()).toEqual([
    'fulfil  run-1',
    '│ ● charge                       0 µs',
    '│ ● pack                         0 µs',
  ]);
  add(4, 20, { type: 'step_completed', cid: 2, attempt: 1 });
  add(5, 30, {
    type: 'step_attempt_failed',
    cid: 1,
    attempt: 1,
    data: '1[{"name":1,"message":2},"Error","no"]',
    meta: { retryAt: 530 },
  });
  add(6, 31, { type: 'sleep_scheduled', cid: 3, meta: { until: 60_031 } });
  expect(screen()).toEqual([
    'fulfil  run-1',
    '├─ ✔ pack                         20 ms',
    '│ ↻ charge                       attempt 2  begins in 500 ms',
    '│ ◷ sleep                        ends in 1 min',
  ]);
  progress.print('a line\nof the program');
  expect(screen().slice(2, 5)).toEqual([
    '│ a line',
    '│ of the program',
    '│ ↻ charge                       attempt 2  begins in 500 ms',
  ]);
  add(7, 530, { type: 'step_started', cid: 1, attempt: 2, meta: { reason: 'retry' } });
  add(8, 540, { type: 'step_completed', cid: 1, attempt: 2 });
  add(9, 60_031, { type: 'sleep_completed', cid: 3 });
  progress.stop('completed in 1 min');
  expect(screen().filter((line) => !line.includes('1: failed'))).toEqual([
    'fulfil  run-1',
    '├─ ✔ pack                         20 ms',
    '│ a line',
    '│ of the program',
    '├─ ✔ charge                       540 ms  2 attempts',
    '│   └─ 2: completed after 10 ms',
    '├─ ✔ sleep                        1 min',
    '└─ completed in 1 min',
  ]);
});

test('many at once are counted, and no line wraps', () => {
  const { out, screen } = terminal(true);
  const timeline = new Timeline();
  const progress = createProgress(timeline, 'title', out, () => 0);
  for (let cid = 1; cid <= 40; cid++) {
    const name = `src/a.ts#${'long'.repeat(20)}${cid}`;
    progress.update(timeline.add(event(cid + 1, 0, { type: 'step_scheduled', cid, name })));
  }
  expect(screen()).toHaveLength(14);
  expect(screen().at(-1)).toBe('│ … and 28 more');
  expect(Math.max(...screen().map((line) => line.length))).toBe(60);
  progress.stop();
  expect(screen()).toEqual(['title']);
});

test('where nobody looks on only what the program prints is shown', () => {
  const { out, screen } = terminal(false);
  const timeline = new Timeline();
  const progress = createProgress(timeline, 'title', out);
  progress.update(timeline.add(event(2, 0, { type: 'step_scheduled', cid: 1, name: 'a' })));
  progress.print('a line');
  progress.stop('done');
  expect(screen()).toEqual(['a line']);
});

test.each([
  [0, '0 µs'],
  [0.34, '340 µs'],
  [1.25, '1.3 ms'],
  [12.4, '12 ms'],
  [999.4, '999 ms'],
  [999.6, '1 s'],
  [1_254, '1.25 s'],
  [59_994, '59.99 s'],
  [59_996, '1 min'],
  [184_000, '3 min 4 s'],
  [3_600_000, '1 h'],
  [7_500_000, '2 h 5 min'],
  [100 * 3_600_000, '4 d 4 h'],
  [-12, '-12 ms'],
])('%d ms is %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});
