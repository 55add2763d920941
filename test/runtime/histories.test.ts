/** Histories that every version has recorded are replayed for ever, and replays tell where code and history part. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatHistory, type History, historyOf, parseHistories } from '../../src/runtime/history.ts';
import { replayHistory } from '../../src/runtime/replay.ts';
import { hashText } from '../../src/manifest/index.ts';
import { runEventSchema } from '../../src/store/events.ts';
import { ROOT } from '../support/dist.ts';

const folder = join(ROOT, 'fixtures/histories');
const versions = readdirSync(folder).filter((name) => /^\d/.test(name));

function read(version: string): { histories: History[]; code: string } {
  const file = join(folder, version, 'histories.jsonl');
  return {
    histories: parseHistories(readFileSync(file, 'utf8'), file),
    code: readFileSync(join(folder, version, 'workflows.js'), 'utf8'),
  };
}

const bundleOf = (code: string) => ({ hash: hashText(code), code, map: null });

describe.each(versions)('version %s', (version) => {
  const { histories, code } = read(version);

  test.each(histories.map((history) => [history.id, history.events[0].name, history] as const))(
    '%s of %s goes the same way',
    async (_id, _name, history) => {
      expect(await replayHistory(history, bundleOf(code))).toBeNull();
    },
  );

  // A cause and what the code asked for thereupon were one append.
  const isAsked =
    /^(?:step|sleep|child)_scheduled$|^hook_(?:created|conflicted|disposed|refused)$|^child_refused$|^run_(?:completed|failed|cancelled)$/;

  test('so does every beginning of each', async () => {
    for (const { id, events } of histories) {
      for (let length = 1; length < events.length; length++) {
        if (length > 1 && isAsked.test(events[length]?.type ?? '')) continue;
        const start = historyOf(id, events.slice(0, length));
        expect(await replayHistory(start, bundleOf(code)), `${id} up to ${length}`).toBeNull();
      }
    }
  });

  test('no event of a command can be left out, named otherwise or moved to another command unnoticed', async () => {
    let tried = 0;
    for (const { id, events } of histories) {
      for (const [index, event] of events.entries()) {
        if (!/^(?:step|sleep|child)_scheduled$|^hook_(?:created|disposed|refused)$|^child_refused$/.test(event.type))
          continue;
        const changes = [
          ...(index < events.length - 1 ? [events.toSpliced(index, 1)] : []),
          events.with(index, { ...event, cid: (event.cid ?? 0) + 1_000 } as typeof event),
          ...(event.name === null ? [] : [events.with(index, { ...event, name: `${event.name}x` } as typeof event)]),
        ];
        for (const changed of changes) {
          const history = historyOf(
            id,
            changed.map((each, at) => ({ ...each, seq: at + 1 })),
          );
          const problem = await replayHistory(history, bundleOf(code));
          expect(problem?.code, `${id}, event ${index + 1}`).toBe('PAWL_REPLAY_DIVERGED');
          tried++;
        }
      }
    }
    expect(tried).toBeGreaterThan(100);
  });
});

test('every kind of event is in some history', () => {
  const kinds = new Set(
    versions.flatMap((version) => read(version).histories.flatMap(({ events }) => events.map(({ type }) => type))),
  );
  const all = runEventSchema.options.map((option) => option.shape.type.value);
  expect([...kinds].toSorted()).toEqual(all.toSorted());
});

describe('code that has changed', () => {
  const version = versions.at(-1) as string;
  const { histories, code } = read(version);
  const of = (workflow: string): History => {
    const found = histories.find(({ events }) => events[0].name === `src/main.ts#${workflow}`);
    if (!found) throw new Error(`No history of ${workflow}`);
    return found;
  };
  const changed = (from: string | RegExp, to: string) => {
    const next = code.replace(from, to);
    if (next === code) throw new Error(`Nothing was replaced: ${from}`);
    return bundleOf(next);
  };

  test('asks for another step: both are named', async () => {
    const bundle = changed('src/main.ts#compensates', 'src/main.ts#elsewhere');
    expect(await replayHistory(of('compensates'), bundle)).toMatchObject({
      code: 'PAWL_WORKFLOW_MISSING',
      message: 'The workflow bundle of the run has no workflow src/main.ts#compensates.',
    });
  });

  test('gives another result', async () => {
    expect(await replayHistory(of('compensates'), changed('refunded: ', 'returned: '))).toMatchObject({
      code: 'PAWL_REPLAY_DIVERGED',
      message: expect.stringMatching(
        /^The run ended as completed \(event \d+\); on replay the workflow ends as completed with another result\.$/,
      ),
    });
  });

  test('throws where it did not', async () => {
    expect(
      await replayHistory(
        of('nested'),
        changed(/total \+= await scale\(i\)/, 'if (i === 2) throw new TypeError("two"); total += await scale(i)'),
      ),
    ).toMatchObject({
      code: 'PAWL_REPLAY_DIVERGED',
      message: expect.stringMatching(/asks for nothing where the event log has step src\/main\.ts#nested\/scale/),
    });
  });

  test('goes on where it ended', async () => {
    const bundle = changed(/return total;/, 'return await scale(9);');
    expect(await replayHistory(of('nested'), bundle)).toMatchObject({
      code: 'PAWL_REPLAY_DIVERGED',
      message: expect.stringMatching(
        /asks for step src\/main\.ts#nested\/scale \(#\d+\).*and the event log has the end of the run there \(event 8\)/,
      ),
    });
  });

  test('never waits: the replay is ended, and the next one goes well', async () => {
    const problem = await replayHistory(
      of('nested'),
      changed(/let total = 0;/, 'let total = 0; for (;;) total++;'),
      200,
    );
    expect(problem).toMatchObject({ code: 'PAWL_WORKFLOW_TIMEOUT' });
    expect(await replayHistory(of('nested'), bundleOf(code))).toBeNull();
  });

  test('does not load', async () => {
    expect(await replayHistory(of('nested'), bundleOf('(function () { syntax error'))).toMatchObject({
      code: 'PAWL_BUNDLE_INVALID',
    });
  });
});

describe('a file of histories', () => {
  const { histories } = read(versions.at(-1) as string);
  const [one] = histories as [History];

  test('comes back as it was written', () => {
    const text = histories.map(({ id, events }) => `${formatHistory(id, events)}\n`).join('\n');
    expect(parseHistories(text, 'x')).toEqual(histories);
  });

  const line = (change: (value: Record<string, unknown>) => void): string => {
    const value = JSON.parse(formatHistory(one.id, one.events)) as Record<string, unknown>;
    change(value);
    return JSON.stringify(value);
  };

  test.each<[string, string, string, RegExp]>([
    ['nothing', '\n\n', 'PAWL_HISTORY_INVALID', /there is none in it/],
    ['no JSON', '{', 'PAWL_HISTORY_INVALID', /the line is not JSON/],
    ['something else', '{"name":"pawl"}', 'PAWL_HISTORY_INVALID', /pawl/],
    [
      'another version',
      line((it) => Object.assign(it, { version: 2 })),
      'PAWL_HISTORY_VERSION',
      /version 2; this pawl reads 1/,
    ],
    ['no events', line((it) => Object.assign(it, { events: [] })), 'PAWL_HISTORY_INVALID', /events/],
    [
      'an unknown event',
      line((it) => Object.assign((it.events as object[])[1] as object, { type: 'step_dreamt' })),
      'PAWL_HISTORY_INVALID',
      /event 2: type/,
    ],
    ['a gap', line((it) => (it.events as object[]).splice(1, 1)), 'PAWL_HISTORY_INVALID', /event 2 is missing/],
    [
      'no beginning',
      line((it) => (it.events as object[]).splice(0, 1)),
      'PAWL_HISTORY_INVALID',
      /does not begin with the creation/,
    ],
  ])('that holds %s is refused', (_name, text, code, message) => {
    expect(() => parseHistories(`\n${text}`, 'h.jsonl')).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  test('names the line', () => {
    const good = formatHistory(one.id, one.events);
    expect(() => parseHistories(`${good}\n\n{`, 'h.jsonl')).toThrow(expect.objectContaining({ place: 'h.jsonl:3' }));
  });
});

test('the program is there, from which the next version records', () => {
  expect(existsSync(join(folder, 'program/src/main.ts'))).toBe(true);
});
