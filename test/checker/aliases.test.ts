import { describe, expect, test } from 'vitest';
import { createSession } from '../../src/checker/index.ts';
import { checkSources } from '../support/checker.ts';
import { temporaryProject } from '../support/project.ts';

const TABLE = `import * as fs from 'node:fs';
export const load = () => fetch('a');
export const pure = () => 1;
export const table = {
  deep: { save() { return fs.readFileSync('x'); }, tidy() { return 1; } },
  plain: { save: () => 2 },
};
export const handlers = [load, pure, table.deep.save];
export const mixed = [...handlers, pure];
export const changed = [pure, load];
changed.reverse();
export const short = table.deep;
export const shorter = short;
export const { deep: { save: taken, tidy: fine } } = table;
export const [first, second, ...others] = handlers;
export const { plain, ...rest } = table;
export const { gone = load, plain: { save: kept = load } } = table;
export const circle = table.round;
table.round = circle;
export const left = right.a;
export const right = left.b;
export let moving = table.deep;
moving = table.plain;
export const host = globalThis;
export const Socket = WebSocket;
`;

async function check(body: string): Promise<{ codes: string[]; unresolved: number }> {
  const { diagnostics, stats } = await checkSources({
    'src/table.ts': TABLE,
    'src/flow.ts': `import * as all from './table';
import {
  changed, circle, first, fine, gone, handlers, host, kept, left, load, mixed, moving, others, plain, pure, rest, second, short, shorter,
  Socket, table, taken,
} from './table';
export async function flow(key: string) {
  'use workflow';
  ${body}
}
`,
  });
  // What the module changes when it is loaded is the matter of another rule.
  const meant = diagnostics.filter(({ rule }) => rule !== 'top-level-side-effect');
  return { codes: meant.map(({ code }) => code), unresolved: stats.unresolved };
}

describe('other names of things', () => {
  test.each([
    ['a part of an object', 'const part = table.deep; part.save();'],
    ['a part of a part', 'const part = table; const deep = part.deep; deep.save();'],
    ['a pattern', 'const { deep } = table; deep.save();'],
    ['a nested pattern', 'const { deep: { save } } = table; save();'],
    ['a pattern of a namespace', 'const { table: { deep } } = all; deep.save();'],
    ['an element', 'handlers[0]();'],
    ['an element by a pattern', 'const [one] = handlers; one();'],
    ['an element that is a part', 'handlers[2]();'],
    ['an element by a computed index', 'handlers[key.length]();'],
    ['an element behind a spread', 'mixed[0]();'],
    ['an element of what changes its order', 'changed[0]();'],
    ['each element', 'for (const handler of handlers) handler();'],
    ['an exported part', 'short.save();'],
    ['an exported name of a name', 'shorter.save();'],
    ['an exported pattern', 'taken();'],
    ['an exported element', 'first();'],
    ['an exported rest of an array', 'others[0]();'],
    ['an exported rest of an object', 'rest.deep.save();'],
    ['an exported default', 'gone();'],
    ['a local object', 'const own = { run: load }; own.run();'],
    ['a local array', 'const own = [load]; own[0]();'],
    ['the global object', `const scope = globalThis; scope.fetch('x');`],
    ['the global object from elsewhere', `host.fetch('x');`],
    ['a global', `const { fetch: get } = globalThis; get('x');`],
    ['a global that is called once more', `const get = fetch; get('x'); get('y');`],
    ['a class', `new Socket('x');`],
    ['a class of a function', `const Own = WebSocket; new Own('x');`],
    ['a function that is given away', 'const again = load; [1].map(again);'],
    ['var', 'var part = table.deep; part.save();'],
    ['let that stays', 'let part = table.deep; part.save();'],
    ['optional members', 'const part = table?.deep; part?.save?.();'],
    ['with types', 'const part = table.deep as typeof table.deep; part!.save();'],
  ])('%s is followed', async (_name, body) => {
    expect(await check(body)).toEqual({ codes: ['PAWL3002'], unresolved: 0 });
  });

  test.each([
    ['a part of an object', 'const part = table.deep; part.tidy();'],
    ['a nested pattern', 'const { deep: { tidy }, plain: { save } } = table; tidy(); save();'],
    ['an element', 'handlers[1]();'],
    ['an element by a pattern', 'const [, one] = handlers; one();'],
    ['an exported part', 'short.tidy(); shorter.tidy();'],
    ['an exported pattern', 'fine(); second();'],
    ['the rest', 'plain.save(); rest.plain?.save();'],
    ['a default that does not count', 'kept();'],
    ['what names itself', 'circle(); left();'],
    [
      'a parameter of the same name',
      'const run = (table: any) => { const { deep } = table; deep.save(); }; run(null);',
    ],
    ['a variable of the same name', 'const table = { deep: pure }; const { deep } = table; deep();'],
    ['an object of this function', 'const own = { run: pure }; own.run();'],
    ['a parameter with a default', 'const { deep = pure } = JSON.parse(key); deep();'],
    ['a name that is only asked for', 'const part = table.deep; return typeof part;'],
    ['the global object', 'host.structuredClone(key); const scope = globalThis; scope.structuredClone(key);'],
    ['a global object of its own', `const globalThis = { fetch: pure }; const scope = globalThis; scope.fetch();`],
    ['a computed key of a pattern', 'const { [key]: one } = { one: pure }; one();'],
  ])('%s is followed to where nothing is done', async (_name, body) => {
    expect(await check(body)).toEqual({ codes: [], unresolved: 0 });
  });

  test.each([
    ['of a module', 'moving.save();', 1],
    ['of a function', 'let part = table.deep; if (key) part = table.plain; part.save(); part.save();', 2],
    ['a member of an object', 'const own = { run: pure }; own.run = () => 2; own.run();', 1],
    ['an element', 'const own = [pure, pure]; own.reverse(); own[0]();', 1],
  ])('what is assigned again is counted and not guessed: %s', async (_name, body, unresolved) => {
    expect(await check(body)).toEqual({ codes: [], unresolved });
  });
});

test('what is changed through another name is what it names', async () => {
  const { diagnostics } = await checkSources({
    'src/state.ts': `export const state = { count: 0, list: [] as number[] };\nexport const view = state;\n`,
    'src/flow.ts': `import { state, view } from './state';
export async function flow() {
  'use workflow';
  const own = state;
  own.count++;
  view.count = 1;
  const made = { count: state.count, list: state.list };
  made.count = 2;
  made.list = [];
  const cache: Record<string, number> = {};
  cache.x ??= 1;
}
`,
  });
  expect(diagnostics.map(({ code, span }) => `${code}:${span.line}`)).toEqual(['PAWL3005:5', 'PAWL3005:6']);
});

test('a session hears of names that come to mean something else', () => {
  const table = (
    alias: string,
  ) => `export const load = () => fetch('a');\nexport const table = { deep: { save: load }, ok: { save: () => 1 } };
export const short = ${alias};\n`;
  const flow = `import { short } from './table';\nexport async function flow() {\n  'use workflow';\n  const { save } = short;\n  save();\n}\n`;
  const root = temporaryProject({ 'src/flow.ts': flow, 'src/table.ts': table('table.ok') });
  const session = createSession({ root, cache: false });
  const codes = () => session.checkSync().diagnostics.map(({ code }) => code);
  expect(codes()).toEqual([]);
  session.update('src/table.ts', table('table.deep'));
  expect(codes()).toEqual(['PAWL3002']);
  session.update('src/table.ts', table('table.ok').replace('const short', 'let short').concat('short = table.deep;\n'));
  expect(codes()).toEqual([]);
  session.update('src/table.ts', table('table.deep'));
  expect(codes()).toEqual(['PAWL3002']);
});

test('another name of queueMicrotask is known where nothing else is an end of the same kind', async () => {
  const { diagnostics } = await checkSources({
    'src/main.ts': `const soon = queueMicrotask;
function poll() {
  soon(poll);
}
export async function flow() {
  'use workflow';
  poll();
}
`,
  });
  expect(diagnostics.map(({ code, span }) => `${code}:${span.line}`)).toEqual(['PAWL3004:7']);
});
