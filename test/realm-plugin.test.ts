import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { afterAll, expect, test } from 'vitest';
import { bundleRealm } from '../realm.plugin.ts';

const folder = mkdtempSync(join(tmpdir(), 'pawl-realm-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(files: Record<string, string>): string {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return join(folder, 'main.ts');
}

test('a TypeScript entry and what it imports become one script whose value is the exports', async () => {
  const entry = write({
    'main.ts': `import { twice } from './twice.ts';\nexport const answer: number = twice(21);\n`,
    'twice.ts': 'export const twice = (n: number): number => n * 2;\n',
  });
  const { code, files } = await bundleRealm(entry);
  expect(files).toHaveLength(2);
  expect(runInNewContext(code)).toMatchObject({ answer: 42 });
});

test('an import that is left is an error', async () => {
  const entry = write({ 'main.ts': `import { readFileSync } from 'node:fs';\nexport const read = readFileSync;\n` });
  await expect(bundleRealm(entry)).rejects.toThrow(/node:fs is imported/);
});
