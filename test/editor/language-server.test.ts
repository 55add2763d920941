import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryProject } from '../support/project.ts';
import { positionOf, rangeOf, startClient, uriOf } from './support/client.ts';

const PURE = 'export const priceOf = (sku: string) => sku.length;\n';
const IMPURE = 'export const priceOf = (sku: string) => fetch(sku);\n';
const FULFIL = `import { priceOf } from './pricing';

async function charge(amount: number) {
  'use step';
  return amount;
}

export async function fulfil(sku: string) {
  'use workflow';
  await charge(1);
  return priceOf(sku);
}
`;
const REACHES = {
  code: 'PAWL3002',
  source: 'pawl',
  severity: 1,
  range: rangeOf(FULFIL, 'priceOf', 2),
  message: expect.stringMatching(/^Workflow `fulfil` reaches `fetch` through `priceOf`: .+ Move it into a step/),
};

function project(files: Record<string, string> = {}) {
  const root = temporaryProject({
    'package.json': '{ "name": "shop" }',
    'src/fulfil.ts': FULFIL,
    'src/pricing.ts': IMPURE,
    ...files,
  });
  return { root, fulfil: join(root, 'src/fulfil.ts'), pricing: join(root, 'src/pricing.ts') };
}

const codes = (found: readonly { code?: string | number | undefined }[]) => found.map(({ code }) => code);

describe('findings', () => {
  test('of a file that is opened, with the chain of calls', async () => {
    const { root, fulfil, pricing } = project();
    const client = await startClient({ folders: [root] });
    const found = await client.open(fulfil, FULFIL);
    expect(found).toEqual([
      {
        ...REACHES,
        relatedInformation: [
          {
            location: { uri: uriOf(fulfil), range: rangeOf(FULFIL, 'priceOf', 2) },
            message: '`fulfil` calls `priceOf`',
          },
          { location: { uri: uriOf(pricing), range: rangeOf(IMPURE, 'fetch') }, message: '`priceOf` calls `fetch`' },
        ],
      },
    ]);
    expect(client.stderr).toBe('');
    expect(client.logs).toEqual([]);
  });

  test('while one types in another file, whether it is saved or not', async () => {
    const { root, fulfil, pricing } = project();
    const client = await startClient({ folders: [root] });
    expect(codes(await client.open(fulfil, FULFIL))).toEqual(['PAWL3002']);
    await client.open(pricing, IMPURE);
    await client.edit(pricing, PURE);
    expect(await client.until(() => client.last(fulfil)?.length === 0)).toBe(true);
    await client.edit(pricing, 'export const priceOf = (sku: string) => fet');
    expect(client.last(fulfil)).toEqual([]);
    client.close(pricing);
    expect(codes(await client.until(() => client.last(fulfil)?.length === 1 && client.last(fulfil)))).toEqual([
      'PAWL3002',
    ]);
  });

  test('of files that nobody opened, in a workspace that uses pawl', async () => {
    const { root, fulfil } = project({ 'package.json': '{ "dependencies": { "pawl": "*" } }' });
    const client = await startClient({ folders: [root] });
    expect(codes(await client.until(() => client.last(fulfil)))).toEqual(['PAWL3002']);
  });

  test('of a file that is not saved yet', async () => {
    const { root } = project();
    const client = await startClient({ folders: [root] });
    const text = "import { fulfil } from './fulfil';\nexport function ship() {\n  'use step';\n  return fulfil;\n}\n";
    expect(codes(await client.open(join(root, 'src/new.ts'), text))).toContain('PAWL1002');
  });

  test('a test that is open is no part of the program', async () => {
    const step = "export async function charge() {\n  'use step';\n}\ncharge.stepId = 'charge';\n";
    const { root } = project({ 'src/charge.ts': step });
    const client = await startClient({ folders: [root] });
    expect(await client.open(join(root, 'src/charge.test.ts'), step)).toEqual([]);
    expect(await client.open(join(root, 'src/charge.ts'), step)).toEqual([]);
  });

  test('edits in parts, as editors send them', async () => {
    const { root, fulfil } = project();
    const client = await startClient({ folders: [root] });
    await client.open(fulfil, FULFIL);
    const { start, end } = rangeOf(FULFIL, 'priceOf(sku)');
    client.type(fulfil, { range: { start, end }, text: 'sku' }, { range: { start, end: start }, text: '/* 👩‍💻 */ ' });
    expect(await client.findings(fulfil)).toEqual([]);
  });

  test('the last of many quick edits counts, and not all of them are checked', async () => {
    const { root, fulfil } = project();
    const client = await startClient({ folders: [root] });
    await client.open(fulfil, FULFIL);
    const before = client.count(fulfil);
    for (let cut = FULFIL.length - 40; cut <= FULFIL.length; cut++) client.type(fulfil, FULFIL.slice(0, cut));
    expect(codes(await client.findings(fulfil))).toEqual(['PAWL3002']);
    expect(client.count(fulfil) - before).toBeLessThan(20);
  });

  test('a code that types find', async () => {
    const text = `export async function save(order: { id: string; save: () => void }) {
  'use step';
  return order.id;
}
`;
    const { root } = project();
    const client = await startClient({ folders: [root], initialize: { initializationOptions: undefined } });
    const file = join(root, 'src/save.ts');
    client.send(file, text);
    const found = await client.until(() => client.last(file)?.length === 1 && client.last(file));
    expect(found).toMatchObject([{ code: 'PAWL2001', message: expect.stringContaining('order.save') }]);
    await client.edit(file, text.replace('() => void', 'string'));
    expect(await client.until(() => client.last(file)?.length === 0)).toBe(true);
  });
});

describe('text that no parser understands', () => {
  test.each([
    ['half a string', "export async function a() { 'use st"],
    ['brackets', '{{{{((([[[`${'],
    ['nothing', ''],
    ['a NUL', 'export async function a() {\u0000 "use step" }'],
    ['a lone surrogate', "const a = '\ud83d';\nasync function b() { 'use step' }"],
    ['a hash bang and a directive', "#!/usr/bin/env node\n'use workflow'\nexport class A {"],
  ])('%s', async (_name, text) => {
    const { root, fulfil } = project();
    const client = await startClient({ folders: [root] });
    const found = await client.open(fulfil, text);
    expect(Array.isArray(found)).toBe(true);
    const end = positionOf(`${text}#`, '#', [...text].filter((each) => each === '#').length + 1);
    const range = { start: { line: 0, character: 0 }, end };
    await client.hover(fulfil, end);
    await client.actions(fulfil, range);
    await client.lenses(fulfil);
    expect(codes(await client.edit(fulfil, FULFIL))).toEqual(['PAWL3002']);
    expect(client.logs).toEqual([]);
  });
});

describe('UTF-16', () => {
  const AWKWARD = `// 👩‍💻 𝒳 é
import { priceOf } from './pricing';
export async function fulfil(𝒳sku: string) {
  'use workflow';
  const label = '💶\u2028💶';
  return [label, '👩‍💻', priceOf(𝒳sku)];
}
`;

  test.each([
    ['LF', AWKWARD],
    ['CRLF', AWKWARD.replaceAll('\n', '\r\n')],
    ['CR', AWKWARD.replaceAll('\n', '\r')],
    ['a byte order mark', `\ufeff${AWKWARD}`],
    [
      'a byte order mark and all on one line',
      `\ufeff${AWKWARD.slice(AWKWARD.indexOf('\n') + 1).replaceAll(/[\n\u2028]/g, ' ')}`,
    ],
  ])('%s', async (_name, text) => {
    const { root, fulfil } = project();
    const client = await startClient({ folders: [root] });
    const [found] = await client.open(fulfil, text);
    expect(found?.range).toEqual(rangeOf(text, 'priceOf', 2));
    const [action] = await client.actions(fulfil, rangeOf(text, 'priceOf', 2));
    expect(action?.edit).toBeDefined();
    const hover = await client.hover(fulfil, positionOf(text, 'use workflow'));
    expect(hover?.range).toEqual(rangeOf(text, "'use workflow';"));
    const [lens] = await client.lenses(fulfil);
    expect(lens?.range).toEqual(rangeOf(text, 'fulfil'));
  });

  test('is what the server says that it counts in', async () => {
    const { root } = project();
    const { initialized } = await startClient({ folders: [root] });
    expect(initialized.capabilities.positionEncoding).toBe('utf-16');
  });
});

describe('disk', () => {
  test('a change that the editor reports is seen', async () => {
    const { root, fulfil, pricing } = project();
    const client = await startClient({ folders: [root] });
    expect(codes(await client.open(fulfil, FULFIL))).toEqual(['PAWL3002']);
    writeFileSync(pricing, PURE);
    client.changedOnDisk(pricing);
    expect(await client.until(() => client.last(fulfil)?.length === 0)).toBe(true);
  });

  test('a file that is gone takes its findings with it', async () => {
    const { root, fulfil } = project();
    const bad = join(root, 'src/bad.ts');
    writeFileSync(bad, "export function bad() {\n  'use step';\n}\n");
    const client = await startClient({ folders: [root] });
    await client.open(fulfil, FULFIL);
    expect(codes(await client.until(() => client.last(bad)))).toEqual(['PAWL1002']);
    rmSync(bad);
    client.changedOnDisk(bad);
    expect(await client.until(() => client.last(bad)?.length === 0)).toBe(true);
  });

  test('saving a file is such a change too, for editors that watch nothing', async () => {
    const { root, fulfil, pricing } = project();
    const client = await startClient({ folders: [root], capabilities: {} });
    await client.open(fulfil, FULFIL);
    writeFileSync(pricing, PURE);
    client.save(fulfil);
    expect(await client.until(() => client.last(fulfil)?.length === 0)).toBe(true);
  });
});

describe('configuration', () => {
  test('counts, and counts anew when it changes', async () => {
    const { root, fulfil } = project({
      'pawl.config.ts': "export default { rules: { 'io-in-workflow': 'warning' } };\n",
    });
    const client = await startClient({ folders: [root] });
    expect(await client.open(fulfil, FULFIL)).toMatchObject([{ code: 'PAWL3002', severity: 2 }]);
    writeFileSync(
      join(root, 'pawl.config.ts'),
      "export default { rules: { 'io-in-workflow': 'off' }, store: 'sqlite:x' };\n",
    );
    client.changedOnDisk(join(root, 'pawl.config.ts'));
    expect(await client.until(() => client.last(fulfil)?.length === 0)).toBe(true);
  });

  test('one that cannot be used is a finding in it; the last good one holds', async () => {
    const config = "export default { rules: { 'io-in-workflow': 'warning' } };\n";
    const { root, fulfil } = project({ 'pawl.config.ts': config });
    const file = join(root, 'pawl.config.ts');
    const client = await startClient({ folders: [root] });
    expect(await client.open(fulfil, FULFIL)).toMatchObject([{ severity: 2 }]);
    writeFileSync(file, "export default { rulez: { 'io-in-workflow': 'off' } };\n");
    client.changedOnDisk(file);
    expect(await client.until(() => client.last(file))).toMatchObject([
      {
        code: 'PAWL9005',
        message: expect.stringContaining('Did you mean `rules`?'),
        range: rangeOf('export default { rulez', 'rulez'),
      },
    ]);
    expect(await client.edit(fulfil, `${FULFIL}\n`)).toMatchObject([{ code: 'PAWL3002', severity: 2 }]);
    writeFileSync(file, `// repaired\n${config}`);
    client.changedOnDisk(file);
    expect(await client.until(() => client.last(file)?.length === 0)).toBe(true);
  });

  test('one that never comes to an end does not hold up the rest', async () => {
    const { root, fulfil } = project({ 'pawl.config.mjs': 'await new Promise(() => {});\nexport default {};\n' });
    const client = await startClient({ folders: [root] });
    client.send(fulfil, FULFIL);
    const [log] = await client.until(() => client.logs.length > 0 && client.logs);
    expect(log?.message).toMatch(/^PAWL_CONFIG_TIMEOUT: .+\nat .+\nSee to it/);
    expect(codes(await client.findings(fulfil))).toEqual(['PAWL3002']);
  });

  test('what it prints does not get into the protocol', async () => {
    const { root, fulfil } = project({
      'pawl.config.ts':
        "console.log('from the configuration');\nprocess.stdout.write('and this');\nexport default {};\n",
    });
    const client = await startClient({ folders: [root] });
    expect(codes(await client.open(fulfil, FULFIL))).toEqual(['PAWL3002']);
    expect(
      await client.until(() => client.stderr.includes('from the configuration') && client.stderr.includes('and this')),
    ).toBe(true);
  });
});

describe('several projects', () => {
  const OFF = "export default { rules: { 'io-in-workflow': 'off' } };\n";

  test('each folder of the workspace has its configuration, and may leave', async () => {
    const one = project({ 'pawl.config.ts': OFF });
    const two = project({ 'pawl.config.ts': 'export default {};\n' });
    const client = await startClient({ folders: [one.root, two.root] });
    expect(await client.open(one.fulfil, FULFIL)).toEqual([]);
    expect(codes(await client.open(two.fulfil, FULFIL))).toEqual(['PAWL3002']);
    client.close(two.fulfil);
    await client.changeFolders({ removed: [two.root] });
    expect(await client.until(() => client.last(two.fulfil)?.length === 0)).toBe(true);
    const three = project({ 'pawl.config.ts': 'export default {};\n' });
    await client.changeFolders({ added: [three.root] });
    expect(codes(await client.until(() => client.last(three.fulfil)))).toEqual(['PAWL3002']);
  });

  test('a package of a monorepo is checked as in its folder, unless a configuration around it speaks of it', async () => {
    const { root } = project({
      'pawl.config.ts': "export default { entries: ['packages/one/src/**'], rules: { 'io-in-workflow': 'off' } };\n",
      'packages/one/package.json': '{ "name": "one" }',
      'packages/one/src/fulfil.ts': FULFIL,
      'packages/one/src/pricing.ts': IMPURE,
      'packages/two/package.json': '{ "name": "two" }',
      'packages/two/src/fulfil.ts': FULFIL,
      'packages/two/src/pricing.ts': IMPURE,
    });
    const client = await startClient({ folders: [root] });
    expect(await client.open(join(root, 'packages/one/src/fulfil.ts'), FULFIL)).toEqual([]);
    expect(codes(await client.open(join(root, 'packages/two/src/fulfil.ts'), FULFIL))).toEqual(['PAWL3002']);
  });

  test('a file of no project is looked at alone', async () => {
    const { root } = project();
    const lonely = join(temporaryProject({ 'b.ts': IMPURE }), 'a.ts');
    const client = await startClient({ folders: [root] });
    expect(codes(await client.open(lonely, FULFIL.replace('./pricing', './b')))).toEqual(['PAWL3002']);
    const step = await client.edit(lonely, "export function a() {\n  'use step';\n}\n");
    expect(codes(step)).toEqual(['PAWL1002']);
  });

  test('what is no source of a program is left alone', async () => {
    const { root, fulfil } = project();
    const client = await startClient({ folders: [root] });
    for (const file of ['README.md', 'src/types.d.ts', 'node_modules/x/index.ts'])
      client.send(join(root, file), FULFIL);
    await client.openUri('untitled:Untitled-1', FULFIL);
    expect(await client.hoverUri('untitled:Untitled-1')).toBeNull();
    await client.open(fulfil, FULFIL);
    for (const file of ['README.md', 'src/types.d.ts', 'node_modules/x/index.ts'])
      expect(client.last(join(root, file))).toBeNull();
  });
});

describe('errors', () => {
  test('are logged with code and remedy, once, and the server goes on', async () => {
    const { root, fulfil } = project();
    const client = await startClient({ folders: [root] });
    const gone = '/pawl-is-not-here/a.ts';
    expect(await client.open(gone, FULFIL)).toEqual([]);
    expect(await client.edit(gone, `${FULFIL}//`)).toEqual([]);
    expect(await client.hover(gone, positionOf(FULFIL, 'charge'))).toBeNull();
    expect(client.logs).toEqual([
      {
        type: 1,
        message:
          'PAWL_ROOT_NOT_FOUND: The root of the project is no directory.\nat /pawl-is-not-here\nName a folder that exists.',
      },
    ]);
    expect(codes(await client.open(fulfil, FULFIL))).toEqual(['PAWL3002']);
  });
});
