import { expect, test } from 'vitest';
import { parseEvent } from '../../src/store/events.ts';

const blank = { cid: null, name: null, attempt: null, data: null, meta: null };
const step = { ...blank, seq: 2, type: 'step_completed', at: 5, cid: 0, attempt: 1, data: '1' };

test('an event is read, and what it does not know is dropped', () => {
  expect(parseEvent({ ...step, meta: { startedAt: 4, later: true }, more: 1 })).toEqual({
    event: { ...step, meta: { startedAt: 4 } },
  });
});

test.each([
  ['no object', null, /^event: /],
  ['an unknown type', { ...step, type: 'step_dreamt' }, /^type: /],
  ['a missing command', { ...step, cid: null }, /^cid: /],
  ['a command that is no number', { ...step, cid: '0' }, /^cid: /],
  ['a number below one', { ...step, seq: 0 }, /^seq: /],
  ['a time that is none', { ...step, at: Number.NaN }, /^at: /],
  ['a field that the type does not have', { ...step, name: 'x' }, /^name: /],
  [
    'metadata of the wrong shape',
    { ...blank, seq: 2, type: 'sleep_scheduled', at: 1, cid: 0, meta: {} },
    /^meta\.until: /,
  ],
])('%s is none', (_, value, problem) => {
  expect(parseEvent(value)).toEqual({ problem: expect.stringMatching(problem) });
});
