/** What a finding calls a thing: as a person would write it. */
import { expect, test } from 'vitest';
import { createSession } from '../../src/checker/index.ts';
import { temporaryProject } from '../support/project.ts';

async function findings(files: Record<string, string>) {
  return (await createSession({ root: temporaryProject(files), types: null }).check()).diagnostics;
}

test('what is done with the promise of a module is an import of it, and no member that it has not', async () => {
  const found = await findings({
    'src/helpers.ts': `export const later = import('node:fs/promises');
export async function viaThen() { return import('node:fs/promises').then(({ readFile }) => readFile('x')); }
export async function viaFinally() { return import('node:http').finally(() => {}); }
export function viaCatch() { return import('node:os').catch(() => null); }
`,
    'src/main.ts': `import { later, viaThen, viaFinally, viaCatch } from './helpers.ts';
export async function w() {
  'use workflow';
  await import('node:fs').then((fs) => fs.readFileSync('x'));
  await viaThen();
  await viaFinally();
  await viaCatch();
  await later.then((fs) => fs.readFile('x'));
  (await import('node:fs/promises')).readFile('x');
  (await import('node:fs')).default.readFileSync('x');
}
`,
  });
  expect(found.map(({ message, chain }) => [message.replace(/: (?:workflow|the) .*$/, ''), chain])).toEqual([
    ["Workflow `w` calls `import('node:fs')`", undefined],
    [
      "Workflow `w` reaches `import('node:fs/promises')` through `viaThen`",
      "w → viaThen (src/helpers.ts:2:42) → import('node:fs/promises')",
    ],
    [
      "Workflow `w` reaches `import('node:http')` through `viaFinally`",
      "w → viaFinally (src/helpers.ts:3:45) → import('node:http')",
    ],
    [
      "Workflow `w` reaches `import('node:os')` through `viaCatch`",
      "w → viaCatch (src/helpers.ts:4:37) → import('node:os')",
    ],
    ["Workflow `w` calls `import('node:fs/promises')`", undefined],
    ['Workflow `w` calls `node:fs/promises.readFile`', undefined],
    ['Workflow `w` calls `node:fs.readFileSync`', undefined],
  ]);
});
