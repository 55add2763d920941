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
