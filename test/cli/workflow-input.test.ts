import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { chooseWorkflow, readArguments, readInput } from '../../src/cli/workflow-input.ts';
import type { LoadedManifest, ManifestWorkflow } from '../../src/manifest/index.ts';

const span = { line: 3, column: 5, endLine: 9, endColumn: 2 };
const hash = `sha256-${'0'.repeat(64)}`;

function workflow(file: string, name: string, input?: z.ZodType): ManifestWorkflow {
  const schema = input && (z.toJSONSchema(input, { io: 'input' }) as ManifestWorkflow['input']);
  return { style: input ? 'definition' : 'directive', name, file, span, hash, steps: [], input: schema };
}

const order = z.object({
  id: z.string(),
  items: z.array(z.object({ quantity: z.int() })),
  note: z.string().default(''),
});

const manifest: LoadedManifest = {
  dir: '/app/.pawl',
  version: 1,
  pawl: '0.1.0',
  integrity: hash,
  bundles: { workflows: { file: 'workflows.js', hash }, steps: { file: 'steps.js', hash } },
  workflows: {
    'src/a.ts#fulfil': workflow('src/a.ts', 'fulfil'),
    'src/a.ts#sync': workflow('src/a.ts', 'sync'),
    'src/b.ts#sync': workflow('src/b.ts', 'sync'),
    'fulfil-order': workflow('src/c.ts', 'Fulfil an order', order),
  },
  steps: {},
  agents: {},
  classes: {},
};

describe('a workflow is found', () => {
  test.each([
    ['src/a.ts#fulfil', 'src/a.ts#fulfil'],
    ['fulfil', 'src/a.ts#fulfil'],
    ['fulfil-order', 'fulfil-order'],
    ['Fulfil an order', 'fulfil-order'],
    ['src/b.ts#sync', 'src/b.ts#sync'],
  ])('by %s', async (wanted, id) => {
    expect((await chooseWorkflow(manifest, wanted)).id).toBe(id);
  });

  test.each([
    [
      'fulfill',
      'PAWL_WORKFLOW_UNKNOWN',
      /Did you mean `fulfil`\? The workflows are src\/a\.ts#fulfil, .*run `pawl build`/,
    ],
    ['toString', 'PAWL_WORKFLOW_UNKNOWN', /The workflows are/],
    ['sync', 'PAWL_WORKFLOW_AMBIGUOUS', /Write the id: src\/a\.ts#sync or src\/b\.ts#sync\./],
  ])('%s is not', async (wanted, code, remedy) => {
    await expect(chooseWorkflow(manifest, wanted)).rejects.toMatchObject({
      code,
      remedy: expect.stringMatching(remedy),
      place: expect.stringMatching(/manifest\.json$/),
    });
  });

  test('a manifest without any says how to write one', async () => {
    await expect(chooseWorkflow({ ...manifest, workflows: {} }, 'fulfil')).rejects.toMatchObject({
      message: expect.stringMatching(/found none at all/),
      remedy: expect.stringMatching(/'use workflow'/),
    });
  });
});

describe('input', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'pawl-input-'));
    writeFileSync(join(folder, 'order.json'), '\uFEFF{ "id": "A-1" }\n');
    writeFileSync(join(folder, 'broken.json'), '{\n  "id": "A-1",\n  "total": 7 8\n}\n');
    writeFileSync(join(folder, 'empty.json'), '\n');
    mkdirSync(join(folder, 'folder'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('is JSON, or a file of it', async () => {
    expect(await readInput('{ "id": [1] }', folder)).toEqual({ id: [1] });
    expect(await readInput('@order.json', folder)).toEqual({ id: 'A-1' });
    expect(await readArguments({ input: '7' }, folder)).toEqual([7]);
    expect(await readArguments({ args: '[7, null]' }, folder)).toEqual([7, null]);
    expect(await readArguments({}, folder)).toBe(null);
  });

  test.each([
    ["{ id: 'A-1' }", 'PAWL_INPUT_NOT_JSON', /The input is not JSON: /, /^--input:1:3$/],
    ['', 'PAWL_INPUT_NOT_JSON', /it is empty/, /^--input/],
    ['@broken.json', 'PAWL_INPUT_NOT_JSON', /not JSON/, /broken\.json:3:14$/],
    ['@empty.json', 'PAWL_INPUT_NOT_JSON', /it is empty/, /empty\.json/],
    ['@gone.json', 'PAWL_INPUT_FILE', /there is no such file/, /gone\.json$/],
    ['@folder', 'PAWL_INPUT_FILE', /it is a directory/, /folder$/],
  ])('%j is refused', async (option, code, message, place) => {
    await expect(readInput(option, folder)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
      place: expect.stringMatching(place),
      remedy: expect.any(String),
    });
  });

  test('one of --input and --args, and --args is a list', async () => {
    await expect(readArguments({ input: '1', args: '[1]' }, folder)).rejects.toMatchObject({ code: 'PAWL_USAGE' });
    await expect(readArguments({ args: '{}' }, folder)).rejects.toMatchObject({ code: 'PAWL_INPUT_INVALID' });
  });
});
