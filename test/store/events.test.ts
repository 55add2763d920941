import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseEvent, runEventSchema } from '../../src/store/events.ts';

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

test('what is read without the schema is what the schema reads', () => {
  const any = fc.constantFrom<unknown>(
    null,
    undefined,
    0,
    -0,
    1,
    7,
    -1,
    1.5,
    2 ** 53,
    Number.NaN,
    '',
    'text',
    true,
    {},
    [],
    {
      startedAt: 5,
    },
  );
  const meta = fc.oneof(any, fc.record({ startedAt: any, more: any }), fc.constant(null));
  const usually = (value: unknown) => fc.oneof({ weight: 4, arbitrary: fc.constant(value) }, any);
  const event = fc.record({
    seq: usually(3),
    type: fc.constantFrom('step_scheduled', 'step_completed', 'step_failed'),
    at: usually(1),
    cid: usually(2),
    name: fc.oneof(usually(null), usually('name')),
    attempt: fc.oneof(usually(null), usually(1)),
    data: usually('1'),
    meta,
  });
  let read = 0;
  fc.assert(
    fc.property(event, (value) => {
      const known = runEventSchema.safeParse(value);
      const parsed = parseEvent(value);
      if (known.success) read++;
      expect('event' in parsed ? parsed.event : null).toEqual(known.success ? known.data : null);
    }),
    { numRuns: 5_000 },
  );
  expect(read).toBeGreaterThan(100);
});
