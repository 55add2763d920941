/** A byte of the output folder that is not what the build wrote: told with the file and the remedy, and the remedy works. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { type CliResult, runCli, spawnCli } from '../support/cli.ts';
import { temporaryProject } from '../support/project.ts';

const MAIN = `async function work(n: number) { 'use step'; return n * 2; }
export async function main(n: number) { 'use workflow'; return await work(n); }
`;

let root = '';
let whole: Record<string, string> = {};
beforeEach(async () => {
  root = temporaryProject({ 'src/main.ts': MAIN });
  expect(await runCli(['build'], { cwd: root })).toMatchObject({ code: 0 });
  whole = output();
});

const at = (file: string): string => join(root, '.pawl', file);
/** Refused before any code of the project is loaded, so it needs no process of its own. */
const refused = (): Promise<CliResult> => runCli(['run', 'main', '--input', '2'], { cwd: root });
const run = (): Promise<CliResult> => spawnCli(['run', 'main', '--input', '2'], { cwd: root });

/** What a build wrote, by file. */
function output(): Record<string, string> {
  const files = readdirSync(at('')).filter((file) => /\.(?:js|json|map)$/.test(file));
  return Object.fromEntries(files.map((file) => [file, readFileSync(at(file), 'utf8')]));
}

/** `pawl build` leaves what the first build did: bundles that run. */
async function buildMends(): Promise<void> {
  expect(await runCli(['build'], { cwd: root })).toMatchObject({ code: 0 });
  expect(output()).toEqual(whole);
}

/** Flips one bit of the byte that stands at a share of the file. */
function flip(file: string, share: number): void {
  const bytes = readFileSync(at(file));
  const index = Math.floor(bytes.length * share);
  bytes[index] = (bytes[index] ?? 0) ^ 4;
  writeFileSync(at(file), bytes);
}

describe.each([
  ['manifest.json', /^error PAWL_MANIFEST_(?:NOT_JSON|INVALID|CORRUPT): The manifest /],
  ['workflows.js', /^error PAWL_BUNDLE_MISMATCH: The bundle `workflows\.js` is not the one that the manifest/],
  ['steps.js', /^error PAWL_BUNDLE_MISMATCH: The bundle `steps\.js` is not the one that the manifest/],
  ['workflows.js.map', /^error PAWL_BUNDLE_MISMATCH: The source map `workflows\.js\.map` is not the one/],
  ['steps.js.map', /^error PAWL_BUNDLE_MISMATCH: The source map `steps\.js\.map` is not the one/],
])('%s', (file, expected) => {
  test.each([0, 0.3, 0.7, 0.999])('a flipped bit at %d', async (share) => {
    flip(file, share);
    const { code, stdout, stderr } = await refused();
    expect(stderr).toMatch(expected);
    expect(stderr).toContain(`\n  at ${at(file)}\n  Run \`pawl build\`.`);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    await buildMends();
  });
});

test('package.json, which makes the step bundle a module', async () => {
  for (const text of ['{ "private": true, "type": "moduld" }', '\u0000', '{ "private": true, "typ', 'null']) {
    writeFileSync(at('package.json'), text);
    const { code, stderr } = await refused();
    expect(stderr).toMatch(
      /^error PAWL_BUNDLE_MISMATCH: The package\.json of the output folder is damaged: .*\n {2}at .*\n {2}Run `pawl build`\.$/m,
    );
    expect(code).toBe(2);
    await buildMends();
  }
  expect(await run()).toMatchObject({ code: 0, stdout: '4\n' });
});

test('maps may be left out, and package.json may be formatted', async () => {
  rmSync(at('steps.js.map'));
  rmSync(at('workflows.js.map'));
  writeFileSync(at('package.json'), '{"type":"module","private":true}');
  expect(await run()).toMatchObject({ code: 0, stdout: '4\n' });
});

test('manifest and package.json at once: a build does not overwrite what may be of others, and says what to do', async () => {
  writeFileSync(at('package.json'), '{');
  writeFileSync(at('manifest.json'), '{');
  const { code, stderr } = await runCli(['build'], { cwd: root });
  expect(stderr).toMatch(
    /^error PAWL_OUT_DIR: .*no build of pawl wrote that file\.\n {2}at .*\.pawl\/package\.json\n {2}.*remove it\.$/m,
  );
  expect(code).toBe(2);
});
