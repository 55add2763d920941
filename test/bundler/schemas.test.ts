import { describe, expect, test } from 'vitest';
import { build, createBuildSession } from '../../src/bundler/index.ts';
import { buildClean, type Files, findings, project, write } from './project.ts';

const action = (input: string, output = 'z.string()', imports = ''): Files => ({
  'src/a.ts': `import { z } from 'zod';
import { defineAction } from 'pawl';
${imports}
export const act = defineAction({ slug: 'act', input: ${input}, output: ${output}, run: async () => 'x' });
`,
});

describe('definitions have JSON Schemas in the manifest', () => {
  test('of input and output, as each is seen from outside', async () => {
    const files = action(
      `z.object({ at: z.string().default('now'), n: z.coerce.number(), tags: z.array(z.enum(['a', 'b'])).min(1) }).describe('What to do')`,
      `z.object({ n: z.int() }).transform(({ n }) => n).pipe(z.number())`,
    );
    const { manifest } = await buildClean(project(files, ['zod']), { write: false });
    expect(manifest.steps.act).toMatchObject({
      style: 'action',
      input: {
        type: 'object',
        description: 'What to do',
        properties: { at: { type: 'string', default: 'now' }, tags: { type: 'array', minItems: 1 } },
        required: ['n', 'tags'],
      },
      output: { type: 'number' },
    });
  });

  test('built from constants and functions of other modules', async () => {
    const files = {
      ...action(
        'order(limit)',
        'z.array(item)',
        `import { item, order } from './schemas.ts';\nimport { readFileSync } from 'node:fs';\nconst limit = 5;\nconst used = () => readFileSync('x');`,
      ),
      'src/schemas.ts': `import { z } from 'zod';
import { createHash } from 'node:crypto';
export const item = z.string().max(3);
export const order = (limit: number) => z.object({ items: z.array(item).max(limit) });
export const client = createHash('sha1');
`,
    };
    const { manifest } = await buildClean(project(files, ['zod']), { write: false });
    expect(manifest.steps.act).toMatchObject({
      input: { properties: { items: { maxItems: 5, items: { maxLength: 3 } } } },
      output: { type: 'array' },
    });
  });

  test('of workflows', async () => {
    const root = project(
      {
        'src/w.ts': `import { z } from 'zod';
import { defineWorkflow } from 'pawl';
export const daily = defineWorkflow({ slug: 'daily', description: 'Each day', input: z.object({ day: z.iso.date() }), output: z.null(), run: async () => null });`,
      },
      ['zod'],
    );
    const { manifest } = await buildClean(root, { write: false });
    expect(manifest.workflows.daily).toMatchObject({
      style: 'definition',
      name: 'daily',
      description: 'Each day',
      input: { properties: { day: { type: 'string', format: 'date' } } },
      output: { type: 'null' },
    });
  });

  test('of any library that implements Standard JSON Schema', async () => {
    const root = project({
      'src/a.ts': `import { defineAction } from 'pawl';
const text = { '~standard': { version: 1, vendor: 'mine', validate: (value: unknown) => ({ value }), jsonSchema: { input: () => ({ type: 'string' }), output: () => ({ type: 'string', minLength: 1 }) } } };
export const act = defineAction({ slug: 'act', input: text, output: text, run: async () => 'x' });`,
    });
    const { manifest } = await buildClean(root, { write: false });
    expect(manifest.steps.act).toMatchObject({ input: { type: 'string' }, output: { type: 'string', minLength: 1 } });
  });
});

describe('what has none', () => {
  test('a schema without a JSON form is a warning', async () => {
    const result = await build({ root: project(action('z.object({ on: z.date() })'), ['zod']), write: false });
    expect(findings(result)).toEqual([
      expect.stringMatching(
        /^src\/a\.ts\(4,14\): warning PAWL9009: The input schema of `act` has no JSON Schema form: Date cannot be represented in JSON Schema\. Values are still parsed/,
      ),
    ]);
    expect(result.output?.manifest.steps.act).not.toHaveProperty('input');
    expect(result.output?.manifest.steps.act).toMatchObject({ output: { type: 'string' } });
  });

  test('its warning can be suppressed, and given another severity', async () => {
    const files = action('z.object({ on: z.date() })');
    const root = project(files, ['zod']);
    expect(findings(await build({ root, config: { rules: { PAWL9009: 'off' } }, write: false }))).toEqual([]);
    const strict = await build({ root, config: { rules: { 'schema-without-json-form': 'error' } }, write: false });
    expect(findings(strict).join()).toMatch(/error PAWL9009/);
    expect(strict.output).toBeNull();
    const text = files['src/a.ts'] ?? '';
    const commented = text.replace('export const act', '// pawl-ignore PAWL9009 -- no model sees it\nexport const act');
    expect(findings(await build({ root: project({ 'src/a.ts': commented }, ['zod']), write: false }))).toEqual([]);
  });

  test('something that is no schema is a warning', async () => {
    const result = await build({ root: project(action('{ n: 1 } as any'), ['zod']), write: false });
    expect(findings(result).join()).toMatch(
      /PAWL9009: The input schema of `act` has no JSON Schema form: it is neither a schema of zod 4/,
    );
  });

  test.each([
    [
      'reads a file',
      `z.string().max(Number(readFileSync('limit', 'utf8')))`,
      `import { readFileSync } from 'node:fs';`,
      /`fs` is not available while schemas are read/,
    ],
    ['reads the environment', 'z.string().max(Number(process.env.LIMIT))', '', /process is not defined/],
    ['asks the network', `z.enum(fetch('https://example.org') as any)`, '', /fetch is not defined/],
    ['makes code', `new Function('return 1')() as any`, '', /[Cc]ode generation from strings disallowed/],
    ['throws', `fail()`, `const fail = () => { throw new TypeError('not today'); };`, /not today/],
    ['throws no error', `fail()`, `const fail = () => { throw null; };`, /null/],
    ['never ends', `forever()`, `const forever = () => { for (;;); };`, /they were not ready within/],
  ])('a module that %s says where', async (_name, input, imports, reason) => {
    const result = await build({ root: project(action(input, 'z.string()', imports), ['zod']), write: false });
    const [first, ...others] = findings(result);
    expect(others).toEqual([]);
    expect(first).toMatch(
      /^src\/a\.ts\(\d+,\d+\): error PAWL9008: The schemas of definitions could not be read at build time: /,
    );
    expect(first).toMatch(reason);
    expect(result.output).toBeNull();
  });

  test('nothing of the host is within reach', async () => {
    const files = action(
      `z.string().describe(String((() => { try { return (globalThis as any).constructor.constructor('return process')().version; } catch (e) { return 'none'; } })()))`,
    );
    const { manifest } = await buildClean(project(files, ['zod']), { write: false });
    expect(manifest.steps.act?.input).toMatchObject({ description: 'none' });
  });
});

test('schemas are read again only when something that goes into them changed', async () => {
  const root = project(
    {
      ...action('z.string().max(limit)', 'z.string()', `import { limit } from './limit.ts';`),
      'src/limit.ts': 'export const limit = 5;',
    },
    ['zod'],
  );
  const session = createBuildSession({ root, write: false });
  await session.build();
  write(root, {
    'src/a.ts':
      action('z.string().max(limit)', 'z.string()', `import { limit } from './limit.ts';`)['src/a.ts']?.replace(
        "'x'",
        "'y'",
      ) ?? '',
  });
  const same = await session.build();
  expect(same.stats.bundled).toEqual({ workflows: false, steps: true, schemas: false });
  write(root, { 'src/limit.ts': 'export const limit = 6;' });
  const changed = await session.build();
  expect(changed.stats.bundled.schemas).toBe(true);
  expect(changed.output?.manifest.steps.act).toMatchObject({ input: { maxLength: 6 } });
});
