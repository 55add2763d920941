import { expect, test } from 'vitest';
import { z } from 'zod';
import { checkSources } from '../support/checker.ts';

/** Rule tool-contract calls schemas formless that zod makes no JSON Schema of, and no others. */
const ARGUMENTS: Record<string, string> = {
  array: 'z.string()',
  catch: "z.string(), 'a'",
  codec: 'z.string(), z.string(), { decode: (value) => value, encode: (value) => value }',
  currencyCode: '',
  discriminatedUnion: "'t', [z.object({ t: z.literal('a') })]",
  enum: "['a']",
  hash: "'sha256'",
  instanceof: 'Date',
  intersection: 'z.object({}), z.object({})',
  keyof: 'z.object({ a: z.string() })',
  lazy: '() => z.string()',
  literal: "'a'",
  looseObject: '{}',
  looseRecord: 'z.string(), z.string()',
  map: 'z.string(), z.string()',
  nativeEnum: "{ A: 'a' }",
  nonoptional: 'z.string()',
  nullable: 'z.string()',
  nullish: 'z.string()',
  object: '{}',
  optional: 'z.string()',
  partialRecord: 'z.string(), z.string()',
  pipe: 'z.string(), z.string()',
  prefault: "z.string(), 'a'",
  preprocess: '(value) => value, z.string()',
  promise: 'z.string()',
  readonly: 'z.string()',
  record: 'z.string(), z.string()',
  set: 'z.string()',
  strictObject: '{}',
  stringFormat: "'x', /a/",
  templateLiteral: "['a']",
  tuple: '[z.string()]',
  union: '[z.string()]',
  xor: '[z.string(), z.number()]',
};

/** No schemas by themselves, but pieces of others. */
const OTHERS = new Set(['check', 'exactOptional', 'refine', 'superRefine', 'success', 'transform']);

test('schemas without a form are those that zod has no JSON Schema of', async () => {
  const forms = [
    ...Object.keys(z).map((name) => `z.${name}`),
    ...Object.keys(z.iso).map((name) => `z.iso.${name}`),
    ...Object.keys(z.coerce).map((name) => `z.coerce.${name}`),
  ].flatMap((path) => {
    const name = path.slice(path.lastIndexOf('.') + 1);
    if (!/^[a-z]/.test(name) || /parse|validate|encode|decode/i.test(name) || OTHERS.has(name)) return [];
    const call = `${path}(${ARGUMENTS[name] ?? ''})`;
    const has = hasForm(call);
    return has === null ? [] : [{ call, has }];
  });
  expect(forms.length).toBeGreaterThan(80);
  const tools = forms.map(
    ({ call }, at) => `t${at}: { description: 'x', inputSchema: z.object({ a: ${call} }), execute: async () => 'x' },`,
  );
  const { diagnostics } = await checkSources({
    'src/tools.ts': `import { z } from 'zod';\nimport { DurableAgent } from 'pawl/agent';\nexport const tools = {\n${tools.join('\n')}\n};\nexport async function flow(x: string) {\n  'use workflow';\n  const agent = new DurableAgent({ model: 'm', tools });\n  await agent.generate({ prompt: x });\n}\n`,
  });
  const told = new Set(diagnostics.filter(({ code }) => code === 'PAWL7001').map(({ span }) => span.line - 4));
  expect(forms.filter((_form, at) => told.has(at)).map(({ call }) => call)).toEqual(
    forms.filter(({ has }) => !has).map(({ call }) => call),
  );
});

/** Null for what makes no schema. */
function hasForm(call: string): boolean | null {
  let schema: z.ZodType;
  try {
    schema = new Function('z', `return ${call};`)(z);
    if (!(schema instanceof z.ZodType)) return null;
  } catch {
    return null;
  }
  try {
    z.toJSONSchema(schema, { io: 'input' });
    return true;
  } catch {
    return false;
  }
}
