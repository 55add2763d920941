/** What a build session says after an edit is what a new build says: the joined program lives on from build to build. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { build, createBuildSession } from '../../src/bundler/index.ts';
import { buildClean, findings, project } from './project.ts';

const FILES = {
  'src/flow.ts': `import { total } from './lib/total.ts';
export async function charge(cents: number) { 'use step'; return cents; }
export async function order(items: number[]) {
  'use workflow';
  return await charge(total(items));
}
`,
  'src/lib/total.ts': `import { round } from './round.ts';
export const total = (items: number[]): number => round(items.reduce((sum, item) => sum + item, 0));
`,
  'src/lib/round.ts': `export const round = (n: number): number => Math.round(n);\n`,
};

const IO = `import { readFileSync } from 'node:fs';
/** Looks the unit up. */
export const round = (n: number): number => Math.round(n / Number(readFileSync('unit.txt', 'utf8')));
`;

test('edits of helpers are judged, there and back', async () => {
  const root = project(FILES);
  const session = createBuildSession({ root, write: false });
  const edit = async (file: string, text: string): Promise<string[]> => {
    writeFileSync(join(root, file), text);
    const result = await session.build();
    expect(findings(result)).toEqual(findings(await build({ root, write: false })));
    return findings(result);
  };
  expect(findings(await session.build())).toEqual([]);
  const [found] = await edit('src/lib/round.ts', IO);
  expect(found).toMatch(/^src\/flow\.ts\(5,\d+\): error PAWL3002: /);
  const [moved] = await edit('src/flow.ts', `// A line more.\n${FILES['src/flow.ts']}`);
  expect(moved).toMatch(/^src\/flow\.ts\(6,\d+\): error PAWL3002: /);
  expect(await edit('src/lib/round.ts', FILES['src/lib/round.ts'])).toEqual([]);
  expect(await edit('src/lib/total.ts', FILES['src/lib/total.ts'].replace('round(', 'Date.now() + round('))).toEqual(
    [],
  );
  rmSync(join(root, 'src/lib/round.ts'));
  expect(findings(await session.build())).toEqual(findings(await build({ root, write: false })));
  expect(await edit('src/lib/round.ts', IO)).toHaveLength(1);
  session.close();
});

test('a build looks into packages, as a check does', async () => {
  const files = {
    ...FILES,
    'src/lib/round.ts': `import { unit } from 'units';\nexport const round = (n: number): number => Math.round(n / unit());\n`,
  };
  const root = project(files);
  const install = (text: string): void => {
    for (const [file, content] of Object.entries({
      'package.json': '{ "name": "units", "version": "1.0.0", "type": "module", "exports": "./index.js" }',
      'index.js': text,
    })) {
      const path = join(root, 'node_modules/units', file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
    }
  };
  install('export const unit = () => 100;\n');
  await buildClean(root, { write: false });
  install(
    `import { readFileSync } from 'node:fs';\nexport const unit = () => Number(readFileSync('unit.txt', 'utf8'));\n`,
  );
  rmSync(join(root, 'node_modules/.cache'), { recursive: true, force: true });
  const found = findings(await build({ root, write: false }));
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(/^src\/flow\.ts\(5,\d+\): error PAWL3002: .*units/);
});
