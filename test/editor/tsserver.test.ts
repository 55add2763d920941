import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RULE_CODES } from '../../src/editor/index.ts';
import { positionOf } from './support/client.ts';
import { applyFix, pluginProject, TsServer, VERSIONS } from './support/tsserver.ts';

const PURE = 'export const priceOf = (sku: string) => sku.length;\n';
const IMPURE = 'export const priceOf = (sku: string) => fetch(sku);\n';
const FULFIL = `import { priceOf } from './pricing';

/** Takes the money. */
export async function charge(amount: number) {
  'use step';
  return amount;
}
charge.maxRetries = 5;

export async function fulfil(sku: string) {
  'use workflow';
  await charge(1);
  return priceOf(sku);
}
`;

function shop(files: Record<string, string> = {}) {
  const root = pluginProject({ 'src/fulfil.ts': FULFIL, 'src/pricing.ts': IMPURE, ...files });
  const path = (file: string) => join(root, file);
  return { root, path, fulfil: path('src/fulfil.ts'), pricing: path('src/pricing.ts') };
}

interface QuickInfo {
  displayString: string;
  documentation: string;
  start: { line: number; offset: number };
}

async function hovered(server: TsServer, file: string, text: string, word: string, occurrence = 1): Promise<QuickInfo> {
  const { line, character } = positionOf(text, word, occurrence);
  return server.request('quickinfo', { file, line: line + 1, offset: character + 2 });
}

describe.each(VERSIONS)('in tsserver of $name', ({ lib }) => {
  let server: TsServer;
  beforeAll(() => {
    server = new TsServer(lib);
  });
  afterAll(() => server.end());

  test('findings of what is open, saved or not', async () => {
    const { fulfil, pricing } = shop();
    server.open(fulfil, FULFIL);
    expect(await server.diagnostics(fulfil)).toMatchObject([
      {
        source: 'pawl',
        code: 903002,
        category: 'error',
        text: expect.stringMatching(/^PAWL3002: Workflow `fulfil` reaches `fetch` through `priceOf`/),
        start: { line: 13, offset: 10 },
        end: { line: 13, offset: 17 },
        relatedInformation: [
          { message: '`fulfil` calls `priceOf`', span: { file: fulfil, start: { line: 13, offset: 10 } } },
          { message: '`priceOf` calls `fetch`', span: { file: pricing, start: { line: 1, offset: 41 } } },
        ],
      },
    ]);
    server.open(pricing, PURE);
    expect(await server.diagnostics(fulfil)).toEqual([]);
    await server.change(pricing, IMPURE);
    expect(await server.diagnostics(fulfil)).toHaveLength(1);
    await server.change(fulfil, FULFIL.replace('return priceOf(sku)', 'return sku'));
    expect(await server.diagnostics(fulfil)).toEqual([]);
    await server.change(fulfil, FULFIL.replace('async function charge', 'function charge'));
    expect((await server.diagnostics(fulfil)).map(({ code }) => code)).toEqual([901002, 903002]);
    writeFileSync(pricing, PURE);
    server.notify('close', { file: pricing });
    expect((await server.diagnostics(fulfil)).map(({ code }) => code)).toEqual([901002]);
  });

  test('findings that types make, out of its own program', async () => {
    const text = `interface Order { id: string; customer: { save: () => void } }
export async function ship(order: Order) {
  'use step';
  return order.id;
}
const broken: number = 'x';
`;
    const { path } = shop({ 'src/ship.ts': text });
    const file = path('src/ship.ts');
    server.open(file, text);
    const found = await server.allDiagnostics(file);
    expect(found).toMatchObject([
      { code: 2322 },
      { code: 902001, source: 'pawl', text: expect.stringContaining('order.customer.save') },
    ]);
    await server.change(file, text.replace('() => void', 'string'));
    expect(await server.diagnostics(file)).toEqual([]);
  });

  test('fixes, one and all, and suppressions', async () => {
    const text = `export function a(n: number) {
  'use step';
  return n;
}
export function b(n: number) {
  'use step';
  return n;
}
export async function flow(x: string) {
  'use workflow';
  return fetch(x);
}
`;
    const { path } = shop({ 'src/many.ts': text });
    const file = path('src/many.ts');
    server.open(file, text);
    const [first, , io] = await server.diagnostics(file);
    const [fix] = await server.fixes(file, first!);
    expect(fix).toMatchObject({ fixName: 'pawl-fix', description: "Add 'async'", fixId: 'pawl' });
    expect(applyFix(text, fix!)).toBe(text.replace('export function a', 'export async function a'));
    const all = await server.request<{ changes: never }>('getCombinedCodeFix', {
      scope: { type: 'file', args: { file } },
      fixId: 'pawl',
    });
    const fixed = applyFix(text, all);
    expect(fixed).toBe(text.replaceAll('export function', 'export async function'));
    const [suppress] = await server.fixes(file, io!);
    const quiet = applyFix(fixed, suppress!);
    expect(applyFix(text, suppress!)).toContain('  // pawl-ignore PAWL3002 -- reason\n  return fetch(x);');
    await server.change(file, quiet);
    expect((await server.diagnostics(file)).map(({ code }) => code)).not.toContain(901002);
    const supported = await server.request<string[]>('getSupportedCodeFixes', { file });
    expect(supported).toContain('903002');
    expect(supported).toContain('2304');
  });

  test('hover, beside what TypeScript says', async () => {
    const { fulfil } = shop();
    server.open(fulfil, FULFIL);
    const step = await hovered(server, fulfil, FULFIL, 'charge', 3);
    expect(step.displayString).toContain('function charge(amount: number): Promise<number>');
    expect(step.documentation).toMatch(/^Takes the money\.\n\n\*\*step\*\* `src\/fulfil\.ts#charge`/);
    expect(step.documentation).toContain('`maxRetries`: 5, 6 attempts in all');
    const directive = await hovered(server, fulfil, FULFIL, 'use workflow');
    expect(directive.documentation).toContain('It reaches 1 step:\n- `src/fulfil.ts#charge` (src/fulfil.ts:4)');
    expect(directive.start).toEqual({ line: 11, offset: 3 });
    const rule = await hovered(server, fulfil, FULFIL, 'priceOf', 2);
    expect(rule.displayString).toContain('(alias) priceOf(sku: string)');
    expect(rule.documentation).toContain('**PAWL3002**');
  });

  test('places as TypeScript counts them', async () => {
    const awkward = `\ufeff// 👩‍💻 𝒳\r\nimport { priceOf } from './pricing';\r\nexport async function flow(𝒳: string) {\r\n  'use workflow';\r\n  return ['💶', priceOf(𝒳)];\r\n}\r\n`;
    for (const text of [awkward, awkward.slice(1)]) {
      const { fulfil } = shop({ 'src/fulfil.ts': text });
      server.open(fulfil, text);
      const [found] = await server.diagnostics(fulfil);
      expect(found?.start).toEqual({ line: 5, offset: 17 });
      expect(found?.end).toEqual({ line: 5, offset: 24 });
      const [suppress] = await server.fixes(fulfil, found!);
      expect(applyFix(text, suppress!)).toBe(
        text.replace('  return', '  // pawl-ignore PAWL3002 -- reason\r\n  return'),
      );
      const hover = await hovered(server, fulfil, text.slice(text === awkward ? 1 : 0), 'use workflow');
      expect(hover.start).toEqual({ line: 4, offset: 3 });
    }
  });

  test('a configuration that has to run first: findings follow', async () => {
    const { fulfil } = shop({
      'pawl.config.ts':
        "import { defineConfig } from 'pawl/config';\nexport default defineConfig({ rules: { 'io-in-workflow': 'warning' } });\n",
    });
    server.open(fulfil, FULFIL);
    await server.diagnostics(fulfil);
    await server.event('projectsUpdatedInBackground');
    expect(await server.diagnostics(fulfil)).toMatchObject([{ code: 903002, category: 'warning' }]);
  });

  test('a configuration that cannot be used changes nothing else', async () => {
    const { fulfil } = shop({ 'pawl.config.json': '{ "rulez": 1 ' });
    server.open(fulfil, FULFIL);
    await server.diagnostics(fulfil);
    await server.event('projectsUpdatedInBackground');
    expect(await server.diagnostics(fulfil)).toMatchObject([{ code: 903002, category: 'error' }]);
  });

  test('whatever is typed, tsserver is answered', async () => {
    const { fulfil } = shop();
    server.open(fulfil, '');
    for (let cut = 0; cut < FULFIL.length; cut += 23) {
      const text = FULFIL.slice(0, cut);
      await server.change(fulfil, text);
      for (const { start, end } of await server.diagnostics(fulfil)) {
        expect(start.line).toBeGreaterThan(0);
        expect(end.line).toBeGreaterThanOrEqual(start.line);
      }
      await server.request('quickinfo', { file: fulfil, line: 1, offset: 1 }).catch((error: Error) => {
        expect(error.message).toBe('quickinfo: No content available.');
      });
    }
    expect(server.log()).not.toMatch(/PAWL_INTERNAL|Plugin activation failed/);
  });
});

test.each(VERSIONS)('no code of ours is one that $name has a fix for', ({ lib }) => {
  const ts = createRequire(import.meta.url)(join(lib, 'typescript.js')) as typeof import('typescript');
  const theirs = new Set(ts.getSupportedCodeFixes());
  expect(theirs.size).toBeGreaterThan(100);
  expect(RULE_CODES.filter((code) => theirs.has(`9${code.replace('PAWL', '0')}`))).toEqual([]);
});
