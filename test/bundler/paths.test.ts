/** Names of folders and files are anybody's choice: what URLs, globs and shells read into them must not matter. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createSession } from '../../src/checker/index.ts';
import { runCli, spawnCli } from '../support/cli.ts';
import { ROOT } from '../support/dist.ts';

const base = realpathSync(mkdtempSync(join(tmpdir(), 'pawl-paths-')));
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** Windows allows few of these letters. */
const EVERYWHERE = ['no #1', '100% %20 %zz', 'ünï ✓ 日本'];
const ELSEWHERE = ['what?', 'is it a?b=c&d', `it's "quoted" \`so\``, '(br)[a]{c}*+!,;$~@', 'two\nlines'];
const NAMES = process.platform === 'win32' ? EVERYWHERE : [...EVERYWHERE, ...ELSEWHERE];

function write(root: string, files: Record<string, string>): void {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
}

test.each(NAMES)('a project and its files are named %j', { timeout: 60_000 }, async (name) => {
  const root = join(base, name);
  write(root, {
    [`src/${name}.ts`]: `import { readFileSync } from 'node:fs';
import { z } from 'zod';
import data from ${JSON.stringify(`./${name}.json`)};
import { helper } from ${JSON.stringify(`./${name}/helper`)};

async function lookAround(n: number) {
  'use step';
  if (!readFileSync(new URL(import.meta.url), 'utf8').includes('lookAround')) throw new Error('not this file');
  return z.number().parse(helper(n) + data.plus);
}

export async function main(n: number) {
  'use workflow';
  return await lookAround(n);
}
`,
    [`src/${name}/helper.ts`]: `import { twice } from './twice.js';\nexport const helper = (n: number) => twice(n);\n`,
    [`src/${name}/twice.ts`]: 'export const twice = (n: number) => n * 2;\n',
    [`src/${name}.json`]: '{ "plus": 1 }',
  });
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules/zod'), join(root, 'node_modules/zod'));
  expect(await runCli(['check'], { cwd: root })).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(await runCli(['build'], { cwd: root })).toMatchObject({ code: 0, stdout: '' });
  expect(await spawnCli(['run', 'main', '--input', '3'], { cwd: root })).toEqual({
    code: 0,
    stdout: '7\n',
    stderr: '',
  });
  rmSync(root, { recursive: true });
});

test.each(NAMES)('helpers are followed in %j', async (name) => {
  const root = join(base, name);
  write(root, {
    'src/main.ts': `import { helper } from ${JSON.stringify(`./${name}/helper.ts`)};\nexport async function main() {\n  'use workflow';\n  return helper();\n}\n`,
    [`src/${name}/helper.ts`]: `export const helper = () => fetch('x');\n`,
  });
  const { diagnostics } = await createSession({ root }).check();
  expect(diagnostics.map(({ code, span }) => `${code} ${span.line}:${span.column}`)).toEqual(['PAWL3002 4:10']);
  rmSync(root, { recursive: true });
});
