/** The configuration at once: what `loadConfig` gives, whether it is data or code, in a process that must not wait. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig, loadConfigSync } from '../../src/config/index.ts';
import { ROOT } from '../support/dist.ts';
import { temporaryProject } from '../support/project.ts';

/** Loads with the built package, in a process that says whether anything else ran meanwhile, and ends by itself. */
function load(root: string): Promise<unknown> {
  const script = `
    import { loadConfigSync } from ${JSON.stringify(join(ROOT, 'dist/config.js'))};
    let answer;
    try {
      answer = loadConfigSync(process.argv[1]);
    } catch ({ name, code, message, place, diagnostics }) {
      answer = { name, code, message, place, found: diagnostics?.length };
    }
    console.log(JSON.stringify(answer));`;
  return new Promise((resolve, reject) => {
    execFile(process.execPath, ['--input-type=module', '-e', script, root], (error, stdout, stderr) => {
      if (error || stderr) reject(error ?? new Error(stderr));
      else resolve(JSON.parse(stdout));
    });
  });
}

test('data is read here', async () => {
  const roots = [temporaryProject({}), temporaryProject({ 'pawl.config.json': '{ "outDir": "out" }' })];
  for (const root of roots) {
    expect(loadConfigSync(root)).toEqual(await loadConfig(root));
  }
  expect(() => loadConfigSync(temporaryProject({ 'pawl.config.json': '{ "outDirs": "out" }' }))).toThrow(
    'There is no option `outDirs`.',
  );
});

test('code is run elsewhere, with its types, its helpers and its awaits', async () => {
  const root = temporaryProject({
    'pawl.config.ts': `import { defineConfig } from 'pawl/config';
import { level } from './level.ts';
const outDir: string = await Promise.resolve('out');
export default defineConfig({ outDir, rules: { 'io-in-workflow': [level, { packageDepth: 1 }] } });`,
    'level.ts': `export const level = 'warn' as const;`,
  });
  expect(await load(root)).toEqual(JSON.parse(JSON.stringify(await loadConfig(root))));
});

test.each([
  ['throws', `throw new Error('no luck');`, 'PAWL9005', 'The configuration could not be loaded: no luck.'],
  ['does not parse', 'export default {', 'PAWL9005', expect.stringContaining('could not be loaded')],
  ['has unknown options', 'export default { colour: 1, shape: 2 };', 'PAWL9005', expect.stringContaining('`colour`')],
  ['ends the process', 'process.exit(0);', 'PAWL_CONFIG_EXIT', 'The configuration ended the process.'],
  ['waits forever', 'await new Promise(() => {});', 'PAWL9005', expect.stringContaining('never come')],
])('one that %s', async (_name, text, code, message) => {
  const root = temporaryProject({ 'pawl.config.mjs': text });
  expect(await load(root)).toMatchObject({ code, message, place: expect.any(String) });
});
