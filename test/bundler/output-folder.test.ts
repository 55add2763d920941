import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { build } from '../../src/bundler/index.ts';
import { runCli } from '../support/cli.ts';
import { buildClean, type Files, project } from './project.ts';

const PACKAGE = '{ "name": "shop", "type": "module" }';
const FILES: Files = {
  'package.json': PACKAGE,
  'src/a.ts': `export async function pay(x: number) { 'use step'; return x; }\n`,
};

describe('an output folder that is not only the output', () => {
  test.each([
    ['the root', '.', /is the root of the project/],
    ['the root, absolute and with a slash', 'ROOT/', /is the root of the project/],
    ['a folder around it', '..', /is a folder around the project/],
    ['the root of the file system', '/', /is a folder around the project/],
    ['a folder of sources', 'src', /holds a source file, src\/a\.ts/],
  ])('%s is refused, and nothing is written', async (_name, outDir, message) => {
    const root = project(FILES);
    const config = { outDir: outDir.replace('ROOT', root) };
    await expect(build({ root, config })).rejects.toMatchObject({
      code: 'PAWL_OUT_DIR',
      message: expect.stringMatching(message),
      place: expect.stringContaining('/'),
      remedy: expect.stringContaining('outDir'),
    });
    expect(readFileSync(join(root, 'package.json'), 'utf8')).toBe(PACKAGE);
    for (const folder of [root, dirname(root), join(root, 'src')]) {
      expect(existsSync(join(folder, 'manifest.json'))).toBe(false);
    }
  });

  test('`pawl build` exits with 2', async () => {
    const root = project({ ...FILES, 'pawl.config.json': '{ "outDir": "." }' });
    const { code, stderr } = await runCli(['build'], { cwd: root });
    expect(code).toBe(2);
    expect(stderr).toMatch(/PAWL_OUT_DIR: .*\n {2}at .*\n {2}Set `outDir`/);
  });

  test('a folder whose name begins as that of the sources is another one', async () => {
    const root = project(FILES);
    await buildClean(root, { config: { outDir: 'src-out' } });
    expect(existsSync(join(root, 'src-out/manifest.json'))).toBe(true);
  });
});

describe('files of others', () => {
  test.each(['package.json', 'manifest.json', 'steps.js', 'workflows.js'])('%s is not replaced', async (name) => {
    const root = project({ ...FILES, [`out/${name}`]: '{ "version": 3 }' });
    await expect(build({ root, config: { outDir: 'out' } })).rejects.toMatchObject({
      code: 'PAWL_OUT_DIR',
      place: join(root, 'out', name),
    });
    expect(readFileSync(join(root, 'out', name), 'utf8')).toBe('{ "version": 3 }');
    expect(existsSync(join(root, 'out/steps.js.map'))).toBe(false);
  });

  test('what else is in the folder is of no concern', async () => {
    const root = project({ ...FILES, 'out/pawl.db': '', 'out/readme.md': 'mine' });
    await buildClean(root, { config: { outDir: 'out' } });
    expect(readFileSync(join(root, 'out/readme.md'), 'utf8')).toBe('mine');
  });
});

test('what a build wrote is written again, damaged or cut short too', async () => {
  const root = project(FILES);
  const config = { outDir: 'out' };
  const { files } = await buildClean(root, { config });
  const manifest = join(root, 'out/manifest.json');
  const sound = readFileSync(manifest, 'utf8');
  writeFileSync(manifest, sound.slice(0, 20));
  await buildClean(root, { config });
  expect(readFileSync(manifest, 'utf8')).toBe(sound);
  const begun = Object.fromEntries(files.slice(0, -1).map(({ name, text }) => [`out/${name}`, text]));
  const other = project({ ...FILES, ...begun });
  await buildClean(other, { config });
  expect(existsSync(join(other, 'out/manifest.json'))).toBe(true);
});
