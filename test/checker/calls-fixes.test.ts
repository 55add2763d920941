import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { createSession, fixAll } from '../../src/checker/index.ts';
import { createTestRuntime } from '../../src/testing/index.ts';
import { z } from 'zod';
import { temporaryProject } from '../support/project.ts';

/** What `--fix` makes of code checks clean, and does what its author meant: both are run. */

declare global {
  var done: string[] | undefined;
}

afterEach(() => {
  globalThis.done = undefined;
});

/** The text with its fixes, and the rules that had something to say before and after. */
async function fix(text: string, name = 'main.js'): Promise<{ text: string; before: string[]; after: string[] }> {
  const root = temporaryProject({ [`src/${name}`]: text });
  const session = createSession({ root });
  const before = (await session.check()).diagnostics.map(({ rule }) => rule);
  const { result } = await fixAll(session, (file) => join(root, file));
  const after = result.diagnostics.map(({ rule }) => rule);
  return { text: readFileSync(join(root, 'src', name), 'utf8'), before, after };
}

async function run(text: string, args: readonly unknown[] = []): Promise<{ value: unknown; done: string[] }> {
  globalThis.done = [];
  const rules = { 'floating-step': 'warn', 'unawaited-prompt': 'warn' } as const;
  const runtime = await createTestRuntime({ sources: { 'src/main.js': text }, config: { rules } });
  try {
    const value = await runtime.finish(await runtime.start('main', args)).catch((error: Error) => error.message);
    return { value, done: globalThis.done };
  } finally {
    await runtime.close();
  }
}

const STEPS = `
async function note(text) { 'use step'; globalThis.done.push(text); return text.length; }
async function isOpen(text) { 'use step'; return text === 'open'; }
`;

describe('floating-step', () => {
  test('the workflow waits: what fails is heard of', async () => {
    const source = `${STEPS}
async function fail(text) { 'use step'; throw new Error('no ' + text); }
fail.maxRetries = 0;
export async function main() {
  'use workflow';
  try {
    const result = fail('mail');
    return 'sent';
  } catch {
    return 'not sent';
  }
}
`;
    const fixed = await fix(source);
    expect(fixed).toMatchObject({ before: ['floating-step'], after: [] });
    expect((await run(source)).value).toBe('sent');
    expect((await run(fixed.text)).value).toBe('not sent');
  });

  test('steps keep their order', async () => {
    const source = `import { sleep } from 'pawl';
${STEPS}
export async function main(urgent) {
  'use workflow';
  note('a');
  sleep('1h');
  if (urgent) note('b');
  urgent && note('c');
  (note('d'));
  note('e').finally(() => {});
  return await note('f');
}
`;
    const fixed = await fix(source);
    expect(new Set(fixed.before)).toEqual(new Set(['floating-step']));
    expect(fixed.after).toEqual([]);
    expect(await run(fixed.text, [true])).toEqual({ value: 1, done: ['a', 'b', 'c', 'd', 'e', 'f'] });
  });

  test('a condition asks for what the step gives', async () => {
    const source = `${STEPS}
export async function main(text) {
  'use workflow';
  if (!isOpen(text)) return 'closed';
  return isOpen(text) && 'open';
}
`;
    const fixed = await fix(source);
    expect(fixed).toMatchObject({ before: ['floating-step', 'floating-step'], after: [] });
    expect((await run(source, ['shut'])).value).toBe('open');
    expect((await run(fixed.text, ['shut'])).value).toBe('closed');
    expect((await run(fixed.text, ['open'])).value).toBe('open');
  });
});

test('unawaited-prompt: the error reaches the workflow', async () => {
  const source = `import { defineAgent } from 'pawl';
const clerk = defineAgent({ slug: 'clerk', systemPrompt: 'Sort.', model: 'openai/gpt-5' });
export async function main() {
  'use workflow';
  clerk.prompt({ message: 'a letter' });
  return 'sorted';
}
`;
  const fixed = await fix(source);
  expect(fixed).toMatchObject({ before: ['unawaited-prompt'], after: [] });
  expect(fixed.text).toContain("  await clerk.prompt({ message: 'a letter' });");
  expect((await run(source)).value).toBe('sorted');
  expect((await run(fixed.text)).value).toMatch(/needs the provider openai/);
});

describe('argument-mutation-lost', () => {
  test.each([
    ['a parameter', 'order', 'order = await tax(order);'],
    ['a constant', '{ ...order }', 'Object.assign(copy, await tax(copy));'],
  ])('the workflow sees the change of %s', async (_name, value, expected) => {
    const name = value === 'order' ? 'order' : 'copy';
    const source = `async function tax(order) {
  'use step';
  order.total = order.net * 2;
  order.lines.push('tax'); // the last line
}
export async function main(order) {
  'use workflow';
  ${name === 'copy' ? `const copy = ${value};` : ''}
  await tax(${name});
  return [${name}.total, ${name}.lines];
}
`;
    const fixed = await fix(source);
    expect(fixed).toMatchObject({ before: ['argument-mutation-lost'], after: [] });
    expect(fixed.text).toContain(expected);
    const order = { net: 10, lines: [] };
    expect((await run(source, [order])).value).toEqual([undefined, []]);
    expect((await run(fixed.text, [order])).value).toEqual([20, ['tax']]);
  });

  test('lists and maps that a step adds to, in one line', async () => {
    const source = `async function add(list) { 'use step'; list.push('a'); }
export async function main() {
  'use workflow';
  const list = ['z'];
  await add(list);
  await add(list);
  return list;
}
`;
    const fixed = await fix(source);
    expect(fixed.after).toEqual([]);
    expect((await run(source)).value).toEqual(['z']);
    expect((await run(fixed.text)).value).toEqual(['z', 'a', 'a']);
  });

  test.each([
    ['a step that returns something', `'use step'; order.total = 1; return 'ok';`, 'await tax(order);'],
    ['a call whose result is used', `'use step'; order.total = 1;`, 'const result = await tax(order); return result;'],
    ['a call of something else than a variable', `'use step'; order.total = 1;`, 'await tax({ ...order });'],
    ['a removal from a constant', `'use step'; delete order.total;`, 'const own = order; await tax(own);'],
    ['a step that is passed on', `'use step'; order.total = 1;`, 'await Promise.all([order].map(tax));'],
  ])('no fix for %s', async (_name, body, call) => {
    const source = `async function tax(order) { ${body} }
export async function main(order) { 'use workflow'; ${call} }
`;
    const fixed = await fix(source);
    expect(fixed.text).toBe(source);
    expect(fixed.after).toEqual(['argument-mutation-lost']);
  });

  test.each([
    ['a list that gets shorter', 'number[]', 'const own = [1, 2];', 'own.pop();'],
    ['a list that loses its first', 'number[]', 'const own = [1, 2];', "own['shift']();"],
    ['a list that is spliced', 'number[]', 'const own = [1, 2];', 'own.push(1); own.splice(0, 2);'],
    ['a list that is cut', 'number[]', 'const own = [1, 2];', 'own[0] = 3; own.length = 1;'],
    ['a map', 'Map<string, number>', 'const own = new Map<string, number>();', "own.set('a', 1);"],
    ['a set', 'Set<number>', 'const own = new Set<number>();', 'own.add(1);'],
  ])('no fix for %s in a constant', async (_name, type, declaration, change) => {
    const step = `async function change(own: ${type}) { 'use step'; ${change} }\n`;
    const flow = (text: string) =>
      `${step}export async function main() { 'use workflow'; ${text} await change(own); return own; }\n`;
    const constant = await fix(flow(declaration), 'main.ts');
    expect(constant).toMatchObject({ text: flow(declaration), after: ['argument-mutation-lost'] });
    // A variable takes the new one as a whole.
    const variable = `let own: ${type}${declaration.slice('const own'.length)}`;
    const fixed = await fix(flow(variable), 'main.ts');
    expect(fixed.text).toContain('own = await change(own);');
    expect(fixed.after).toEqual([]);
  });

  test('no fix where another module calls the step too', async () => {
    const root = temporaryProject({
      'src/tax.js': `export async function tax(order) { 'use step'; order.total = 1; }
export async function main(order) { 'use workflow'; await tax(order); }
`,
      'src/other.js': `import { tax } from './tax.js';
export async function other(order) { 'use workflow'; await tax(order); return order; }
`,
    });
    const { diagnostics } = await createSession({ root }).check();
    expect(diagnostics.map(({ rule, fix: found }) => [rule, found])).toEqual([['argument-mutation-lost', undefined]]);
  });
});

describe('writer-lock-leak', () => {
  const HEAD = `import { getWritable } from 'pawl';\n`;

  /** Runs the step's function as it is, on a stream that refuses some texts. */
  async function locked(text: string, texts: string[]): Promise<boolean> {
    const stream = new WritableStream({
      write(chunk) {
        if (chunk === 'bad') throw new Error('refused');
      },
    });
    const code = text.replace(HEAD, '').replace('export ', '');
    const tell = new Function('getWritable', `${code}\nreturn tell;`)(() => stream) as (
      texts: string[],
    ) => Promise<void>;
    await tell(texts).catch((error: unknown) => error);
    return stream.locked;
  }

  test.each([
    [
      'released at the end',
      `const writer = getWritable().getWriter();
  for (const text of texts) await writer.write(text);
  writer.releaseLock();`,
    ],
    [
      'released in the middle of a block',
      `if (texts.length > 0) {
    const writer = getWritable().getWriter();
    // All of them.
    for (const text of texts) {
      await writer.write(text);
    }
    writer.releaseLock(); // open again

    if (texts.length > 99) return;
  }`,
    ],
    [
      'released before the stream is closed',
      `const writable = getWritable();
  const writer = writable.getWriter();
  for (const text of texts) await writer.write(text);
  await writer.releaseLock();
  if (texts[0] === 'bad') return await writable.close();`,
    ],
    ['in one line', `const writer = getWritable().getWriter(); await writer.write(texts[0]); writer.releaseLock();`],
  ])('%s', async (_name, body) => {
    const source = `${HEAD}export async function tell(texts) {\n  'use step';\n  ${body}\n}\n`;
    const fixed = await fix(source);
    expect(fixed).toMatchObject({ before: ['writer-lock-leak'], after: [] });
    expect(await locked(source, ['bad'])).toBe(true);
    expect(await locked(fixed.text, ['bad'])).toBe(false);
    expect(await locked(source, ['good'])).toBe(false);
    expect(await locked(fixed.text, ['good'])).toBe(false);
  });

  test.each([
    ['a text of several lines', 'await writer.write(`\n  indented`);'],
    ['a variable that is used later', 'const size = await writer.write(1); writer.releaseLock(); return size;'],
    ['several ends', 'if (texts) writer.releaseLock(); await writer.write(1); writer.releaseLock();'],
    ['a function that is called before', 'await send(); async function send() {}'],
  ])('what a fix would break stays: %s', async (_name, body) => {
    const source = `${HEAD}export async function tell(texts) {
  'use step';
  const writer = getWritable().getWriter();
  ${body}
}
`;
    expect(await fix(source)).toEqual({ text: source, before: ['writer-lock-leak'], after: ['writer-lock-leak'] });
  });
});

test('optional-in-output-schema: every key is there, null where there is nothing', async () => {
  const source = `import { defineAgent } from 'pawl';
import { z } from 'zod';
export const clerk = defineAgent({
  slug: 'clerk', systemPrompt: 'Sort.', model: 'openai/gpt-5',
  output: z.object({ box: z.string(), note: z.string().optional(), tags: z.array(z.string()).nullish() }),
});
`;
  const fixed = await fix(source);
  expect(fixed).toMatchObject({ before: ['optional-in-output-schema', 'optional-in-output-schema'], after: [] });
  const schemaOf = (text: string): z.ZodType => {
    const [, expression = ''] = /output: (.*),\n/.exec(text) ?? [];
    return new Function('z', `return ${expression}`)(z) as z.ZodType;
  };
  const requiredOf = (text: string) => z.toJSONSchema(schemaOf(text)).required;
  expect(requiredOf(source)).toEqual(['box']);
  expect(requiredOf(fixed.text)).toEqual(['box', 'note', 'tags']);
  expect(schemaOf(fixed.text).safeParse({ box: 'a', note: null, tags: null }).success).toBe(true);
});
