import { expect, test } from 'vitest';
import { type Action, actionsFor, fixAllAction } from '../../src/editor/actions.ts';
import type { Diagnostic } from '../../src/diagnostics/types.ts';
import { editorProject } from './support/project.ts';

const FILE = 'src/a.tsx';

/** Other rules may have an opinion on these texts too. */
const RULES = /^PAWL(?:1002|1003|3002|3004|9\d+)$/;

function check(text: string): readonly Diagnostic[] {
  const found =
    editorProject({ [FILE]: text })
      .check()
      .diagnostics.get(FILE) ?? [];
  return found.filter(({ code }) => RULES.test(code));
}

function actions(text: string, kind: Action['kind'], diagnostics = check(text)): Action[] {
  return actionsFor(FILE, text, diagnostics, { start: 0, end: text.length }).filter((each) => each.kind === kind);
}

function apply(text: string, { edits }: Action): string {
  return [...edits].reverse().reduce((now, edit) => now.slice(0, edit.start) + edit.text + now.slice(edit.end), text);
}

/** Applies the first suppression that is offered, again and again. */
function suppressAll(text: string): string {
  let now = text;
  for (let [action] = actions(now, 'suppress'); action; [action] = actions(now, 'suppress')) {
    const next = apply(now, action);
    expect(next).not.toBe(now);
    now = next;
  }
  return now;
}

const workflow = (body: string): string => `export async function flow(x: string) {\n  'use workflow';\n${body}\n}\n`;

test.each([
  ['one line', workflow('  return fetch(x);'), workflow('  // pawl-ignore PAWL3002 -- reason\n  return fetch(x);')],
  [
    'two rules on one line',
    workflow('\tsetTimeout(() => fetch(x), 5);'),
    workflow('\t// pawl-ignore PAWL3004, PAWL3002 -- reason\n\tsetTimeout(() => fetch(x), 5);'),
  ],
  [
    'lines that end with CRLF',
    workflow('  return fetch(x);').replaceAll('\n', '\r\n'),
    workflow('  // pawl-ignore PAWL3002 -- reason\n  return fetch(x);').replaceAll('\n', '\r\n'),
  ],
  [
    'a comment that is there already keeps its reason',
    workflow('  // pawl-ignore PAWL3004 -- it is cleared\n  setTimeout(() => fetch(x), 5);'),
    workflow('  // pawl-ignore PAWL3004, PAWL3002 -- it is cleared\n  setTimeout(() => fetch(x), 5);'),
  ],
  [
    'the head of a template literal',
    workflow('  return `a${fetch(x)}\n  b`;'),
    workflow('  // pawl-ignore PAWL3002 -- reason\n  return `a${fetch(x)}\n  b`;'),
  ],
  [
    'children of JSX',
    workflow('  return (\n    <p>\n      {fetch(x)}\n    </p>\n  );'),
    workflow('  return (\n    <p>\n      {/* pawl-ignore PAWL3002 -- reason */}\n      {fetch(x)}\n    </p>\n  );'),
  ],
])('suppressing: %s', (_name, text, expected) => {
  expect(check(text)).not.toEqual([]);
  expect(suppressAll(text)).toBe(expected);
  expect(check(expected)).toEqual([]);
});

test('in the middle of a template literal there is no place for a comment, so none is offered', () => {
  const text = workflow('  return `a\n  ${fetch(x)}`;');
  expect(check(text)).toHaveLength(1);
  expect(actions(text, 'suppress')).toEqual([]);
});

test('what cannot be compiled cannot be suppressed', () => {
  const text = "export function step() {\n  'use step';\n}\n";
  expect(check(text).map(({ code }) => code)).toEqual(['PAWL1002']);
  expect(actions(text, 'suppress')).toEqual([]);
  const [fix] = actions(text, 'fix');
  expect(fix).toMatchObject({ title: "Add 'async'", kind: 'fix' });
  expect(apply(text, fix as Action)).toBe("export async function step() {\n  'use step';\n}\n");
});

test('only what the range touches is offered', () => {
  const text = workflow('  fetch(x);\n  return fetch(x);');
  const at = text.indexOf('fetch');
  const [found, ...more] = actionsFor(FILE, text, check(text), { start: at, end: at });
  expect(found?.diagnostic?.span.start).toBe(at);
  expect(more.filter(({ diagnostic }) => diagnostic?.code === 'PAWL3002')).toEqual([]);
});

test('all fixes at once', () => {
  const text = "export function a() {\n  'use steps';\n}\nexport function b() {\n  'use step';\n}\n";
  const action = fixAllAction(text, check(text)) as Action;
  expect(apply(text, action)).toContain('async function b()');
  expect(apply(text, action)).toContain("'use step';\n}\nexport");
  expect(fixAllAction(workflow('  return x;'), [])).toBeNull();
});
