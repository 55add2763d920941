import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createSession, type TypeBackend } from '../../src/checker/index.ts';
import { formatPretty } from '../../src/diagnostics/index.ts';
import { ROOT } from '../support/dist.ts';
import { temporaryProject } from '../support/project.ts';
import { inOneLine, typedFindings, TYPESCRIPTS, typesFrom } from '../support/types.ts';

/** Every TypeScript says the same: the fixtures of the rules, to the column, and what edits in a session make of it. */
describe.each(Object.entries(TYPESCRIPTS))('%s', (_name, candidate) => {
  const types: TypeBackend = typesFrom(candidate);
  afterAll(() => {
    types.dispose();
    expect(types.notices).toEqual([]);
  });

  test.each(['unserializable-boundary', 'closure-unserializable'])('%s', async (rule) => {
    const root = join(ROOT, 'fixtures/rules', rule);
    for (const kind of ['invalid', 'valid']) {
      const session = createSession({ root, types, cache: false, config: { entries: [`${kind}.ts`] } });
      const { diagnostics: all } = await session.check();
      // Fixtures speak of files that nobody has.
      const diagnostics = all.filter((diagnostic) => diagnostic.rule !== 'unresolved-import');
      const text = formatPretty(diagnostics, { source: (file) => session.source(file) });
      const expected = kind === 'valid' ? 'no findings\n' : readFileSync(join(root, 'invalid.expected'), 'utf8');
      expect(text).toBe(expected);
    }
  });

  test('any-at-boundary', async () => {
    const root = join(ROOT, 'fixtures/rules/any-at-boundary/invalid');
    const config = { rules: { 'any-at-boundary': 'warn' as const } };
    const session = createSession({ root, types, cache: false, config });
    const { diagnostics } = await session.check();
    const text = formatPretty(diagnostics, { source: (file) => session.source(file) });
    expect(text).toBe(readFileSync(`${root}.expected`, 'utf8'));
  });

  test('edits count as they come, saved or not', async () => {
    const root = temporaryProject({
      'src/model.ts': 'export interface Order { id: string }\n',
      'src/flow.ts': `import type { Order } from './model';\nexport async function charge(order: Order) {\n  'use step';\n}\n`,
    });
    const session = createSession({ root, types });
    const find = async () => (await session.check()).diagnostics.map(inOneLine);
    const refused = [
      'src/flow.ts:2:30 The parameter `order` of step `charge` cannot cross: `order.save` is a function (`() => void`).',
    ];
    expect(await find()).toEqual([]);
    // In a file that has no boundary, and is not saved.
    session.update('src/model.ts', 'export interface Order { id: string; save(): void }\n');
    expect(await find()).toEqual(refused);
    session.update('src/model.ts', null);
    expect(await find()).toEqual([]);
    // In the file itself; positions move with it.
    session.update(
      'src/flow.ts',
      `// ä€😀\n\n/* 😀 */ export async function pay(go: () => void) {\n  'use step';\n}\n`,
    );
    expect(await find()).toEqual([
      'src/flow.ts:3:36 The parameter `go` of step `pay` cannot cross: it is a function (`() => void`).',
    ]);
    session.update('src/flow.ts', null);
    // A file that comes, and one that an import leads to.
    session.update(
      'src/more.ts',
      `import { Late } from './late';\nexport async function f(x: Late) {\n  'use step';\n}\n`,
    );
    expect((await find()).filter((line) => !line.includes('late'))).toEqual([]);
    session.update('src/late.ts', 'export class Late { run() {} }\n');
    expect(await find()).toEqual([
      'src/more.ts:2:25 The parameter `x` of step `f` cannot cross: it is an instance of `Late`.',
    ]);
  });

  test('places are right behind a byte order mark and with other line ends', async () => {
    const text = "\ufeff/* ä */\r\nexport async function pay(\r\n\tgo: () => void,\r\n) {\r\n\t'use step';\r\n}\r\n";
    const root = temporaryProject({ 'src/a.ts': text });
    expect(await typedFindings(root, types)).toEqual([
      'src/a.ts:3:2 The parameter `go` of step `pay` cannot cross: it is a function (`() => void`).',
    ]);
  });

  test('a check may do without types', async () => {
    const root = temporaryProject({ 'src/a.ts': `export async function f(go: () => void) {\n  'use step';\n}\n` });
    const session = createSession({ root, types });
    expect((await session.check({ types: false })).diagnostics).toEqual([]);
    expect(session.checkSync().diagnostics).toHaveLength(1);
  });
});
