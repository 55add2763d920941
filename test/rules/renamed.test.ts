import { expect, test } from 'vitest';
import { compatExample } from '../support/compat.ts';

const flow = (...steps: string[]) =>
  `export async function flow(n: number) {\n  'use workflow';\n${steps.map((step) => `  await ${step}(n);\n`).join('')}}\n`;
const step = (name: string, body = 'return n;') =>
  `export async function ${name}(n: number): Promise<number> {\n  'use step';\n  ${body}\n}\n`;

/** What is said of steps that are gone, with the text that a fix puts in. */
async function gone(before: string, after: string): Promise<(string | undefined)[]> {
  const found = await compatExample({ 'deployed/src/a.ts': before, 'src/a.ts': after });
  return found.filter(({ rule }) => rule === 'id-removed').map(({ fix }) => fix?.edits[0]?.text.trim());
}

test.each([
  ['renamed', step('ship') + flow('ship'), step('send') + flow('send'), ["send.stepId = 'src/a.ts#ship';"]],
  [
    'renamed where it calls itself',
    step('ship', 'return n > 0 ? ship(n - 1) : n;') + flow('ship'),
    step('send', 'return n > 0 ? send(n - 1) : n;') + flow('send'),
    ["send.stepId = 'src/a.ts#ship';"],
  ],
  [
    'renamed, two of them',
    step('ship') + step('pack', 'return -n;') + flow('ship', 'pack'),
    step('wrap', 'return -n;') + step('send') + flow('send', 'wrap'),
    ["wrap.stepId = 'src/a.ts#pack';", "send.stepId = 'src/a.ts#ship';"],
  ],
  [
    'renamed, and a name in it that begins with its own',
    step('ship', 'const shipping = n; return shipping;') + flow('ship'),
    step('send', 'const shipping = n; return shipping;') + flow('send'),
    ["send.stepId = 'src/a.ts#ship';"],
  ],
  ['renamed and changed', step('ship') + flow('ship'), step('send', 'return -n;') + flow('send'), [undefined]],
  [
    'gone, where two could be it',
    step('ship') + flow('ship'),
    step('send') + step('pass') + flow('send', 'pass'),
    [undefined],
  ],
  [
    'gone, where one could be either',
    step('ship') + step('pack') + flow('ship', 'pack'),
    step('send') + flow('send'),
    [undefined, undefined],
  ],
])('a step that is %s', async (_name, before, after, expected) => {
  expect((await gone(before, after)).toSorted()).toEqual(expected.toSorted());
});

/** What is advised for a program in which something is renamed. */
async function remedies(before: string, after: string): Promise<string[]> {
  const found = await compatExample({ 'deployed/src/a.ts': before, 'src/a.ts': after });
  return found.map(({ remedy }) => remedy ?? '');
}

const CLASS = (name: string) =>
  `export class Shipping {\n  static async ${name}(n: number) {\n    'use step';\n    return n;\n  }\n}\n`;
const TABLE = (name: string) =>
  `export const table = {\n  async ${name}(n: number) {\n    'use step';\n    return n;\n  },\n};\n`;
const ORDER = (name: string) =>
  `export class Order {\n  async ${name}(n: number) {\n    'use step';\n    return n;\n  }\n}\n`;

test.each([
  ['a static method', CLASS('post'), CLASS('send'), "Shipping.send.stepId = 'src/a.ts#Shipping.post'"],
  ['a method', ORDER('keep'), ORDER('save'), "Order.prototype.save.stepId = 'src/a.ts#Order#keep'"],
  ['a member of a table', TABLE('keep'), TABLE('store'), "table.store.stepId = 'src/a.ts#table.keep'"],
  [
    'a member with a strange name',
    TABLE('keep'),
    TABLE("'look-up'"),
    "table['look-up'].stepId = 'src/a.ts#table.keep'",
  ],
])('the remedy for %s keeps its id', async (_name, before, after, pin) => {
  const [remedy, ...more] = await remedies(before, after);
  expect(more).toEqual([]);
  expect(remedy).toContain(`Keep the old id: \`${pin}\`.`);
  expect(await remedies(before, `${after}// @ts-expect-error methods have no members\n${pin};\n`)).toEqual([]);
});

const ACTION = (slug: string, rest = '') => `import { defineAction } from 'pawl';
import { z } from 'zod';
export default defineAction({
  slug: ${slug},
  name: 'Act',
  description: 'Acts.',
  input: z.object({ n: z.number() }),
  output: z.object({ n: z.number() }),
  async run({ n }) {
    return { n };
  },
});
${rest}`;

test('a definition with another slug is given its old one', async () => {
  const found = await compatExample({
    'deployed/src/actions/act.ts': ACTION("'act-one'"),
    'src/actions/act.ts': ACTION("'act-two'"),
  });
  expect(found).toMatchObject([
    {
      remedy: "It is `act-two` now. Keep the old id: `slug: 'act-one'`.",
      fix: { edits: [{ text: "'act-one'" }] },
    },
  ]);
  const edits = found.flatMap(({ fix }) => fix?.edits ?? []);
  expect(edits.map(({ start, end }) => ACTION("'act-two'").slice(start, end))).toEqual(["'act-two'"]);
});

test('a definition that is gone names its slug', async () => {
  const found = await compatExample({ 'deployed/src/actions/act.ts': ACTION("'act-one'"), 'src/a.ts': step('ship') });
  expect(found.map(({ remedy }) => remedy)).toEqual([expect.stringContaining("its id: `slug: 'act-one'`.")]);
});

test.each([
  ['a name of its own', "export default async function () {\n  'use step';\n}\n"],
  ['a name of its own, without a blank', "export default async function() {\n  'use step';\n}\n"],
])('a default export that gets %s is known again, whatever else is gone', async (_name, anonymous) => {
  const named = anonymous.replace(/function ?/, (word) => `${word.trim()} charge${word.slice(8)}`);
  for (const more of ['', step('ship')]) {
    const found = await compatExample({ 'deployed/src/a.ts': anonymous + more, 'src/a.ts': named });
    const [first] = found.filter(({ message }) => message.includes('#default'));
    expect(first).toMatchObject({
      remedy: "It is `src/a.ts#charge` now. Keep the old id: `charge.stepId = 'src/a.ts#default'`.",
      fix: { edits: [{ text: "\ncharge.stepId = 'src/a.ts#default';" }] },
    });
  }
});

test('what has no name now has to get one first', async () => {
  const named = "export default async function charge() {\n  'use step';\n}\n";
  expect(await remedies(named, named.replace(' charge', ''))).toEqual([
    "Perhaps it is `src/a.ts#default` now. Name the function, and keep the old id behind it: `namedStep.stepId = 'src/a.ts#charge'`.",
  ]);
});

const ARROW = (name: string) => `export const ${name} = async (n: number) => {\n  'use step';\n  return n;\n}`;

test.each([
  ['the first of two', (name: string) => `${ARROW(name)}, other = 2;\n`, 'other = 2;'],
  ['the last of two', (name: string) => ARROW(name).replace('const ', 'const other = 2, ') + ';\n', '};'],
  ['alone', (name: string) => `${ARROW(name)};\n`, '};'],
  ['before a comment', (name: string) => `${ARROW(name)}; // the price\nexport const other = 2;\n`, '}; // the price'],
])('the pin of a constant stands behind its statement: %s', async (_name, program, before) => {
  const [deployed, after] = [program('alone'), program('single')];
  const [found] = await compatExample({ 'deployed/src/a.ts': deployed, 'src/a.ts': after });
  const edit = found?.fix?.edits[0];
  if (!edit) throw new Error('no fix');
  const fixed = after.slice(0, edit.start) + edit.text + after.slice(edit.end);
  expect(fixed).toContain(`${before}\nsingle.stepId = 'src/a.ts#alone';\n`);
  expect(await compatExample({ 'deployed/src/a.ts': deployed, 'src/a.ts': fixed })).toEqual([]);
});

test('no fix where the name of a function is no variable', async () => {
  const given = (name: string) => `[].map(async function ${name}() {\n  'use step';\n});\n`;
  const [found, ...more] = await compatExample({ 'deployed/src/a.ts': given('ship'), 'src/a.ts': given('send') });
  expect(more).toEqual([]);
  expect(found?.fix).toBeUndefined();
});
