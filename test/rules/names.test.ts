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

test('what a pattern takes is shown at the name that it gets', async () => {
  const found = await findings({
    'src/main.ts': `import * as pawl from 'pawl';

const { createHook, ...rest } = pawl;
export async function step() {
  'use step';
  const { sleep: nap } = pawl;
  await nap('1s');
  createHook();
  await rest.sleep('1s');
}
export async function workflow() {
  'use workflow';
  const { getStepMetadata: metadata, getWorkflowMetadata } = pawl;
  const { getStepMetadata } = pawl;
  return [metadata(), getWorkflowMetadata(), getStepMetadata()];
}
`,
  });
  expect(
    found.map(({ code, span, message }) => [code, span.line, span.column, span.endColumn, message.split(':')[0]]),
  ).toEqual([
    ['PAWL4001', 6, 18, 21, 'Step `step` uses `sleep`'],
    ['PAWL4001', 8, 3, 13, 'Step `step` calls `createHook`'],
    ['PAWL4001', 9, 9, 19, 'Step `step` calls `sleep`'],
    ['PAWL4002', 13, 28, 36, 'Workflow `workflow` uses `getStepMetadata`'],
    ['PAWL4002', 14, 11, 26, 'Workflow `workflow` uses `getStepMetadata`'],
  ]);
});
