import { expect, test } from 'vitest';
import { runCli } from '../support/cli.ts';
import { temporaryProject } from '../support/project.ts';

/** `pawl check` asks TypeScript unless it is told not to, and tells once what becomes of that. */

const FLOW = `export async function charge(go: () => void) {\n  'use step';\n}\n`;
const FOUND = /^src\/a\.ts\(1,30\): error PAWL2001: The parameter `go` of step `charge` cannot cross: it is a function/;

test('types are asked for', async () => {
  const cwd = temporaryProject({ 'src/a.ts': FLOW });
  const { code, stdout, stderr } = await runCli(['check'], { cwd });
  expect(stdout).toMatch(FOUND);
  expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
});

test('--no-types leaves them out without a word', async () => {
  const cwd = temporaryProject({ 'src/a.ts': FLOW });
  expect(await runCli(['check', '--no-types'], { cwd })).toEqual({ code: 0, stdout: '', stderr: '' });
});

test('a TypeScript that does not work is told of, and another one asked', async () => {
  const cwd = temporaryProject({
    'src/a.ts': FLOW,
    'node_modules/typescript/package.json': JSON.stringify({ name: 'typescript', version: '5.9.0', main: 'index.js' }),
    'node_modules/typescript/index.js': "throw new Error('half installed');",
  });
  const { code, stdout, stderr } = await runCli(['check'], { cwd });
  expect(stdout).toMatch(FOUND);
  expect(stderr.trim()).toBe('TypeScript 5.9.0 could not be asked for types: half installed.');
  expect(code).toBe(1);
});

test('a configuration of TypeScript that does not parse is told of', async () => {
  const cwd = temporaryProject({ 'src/a.ts': FLOW, 'tsconfig.json': '{ "compilerOptions": ' });
  const { stdout, stderr } = await runCli(['check'], { cwd });
  expect(stdout).toMatch(FOUND);
  expect(stderr.trim()).toMatch(/^Types are asked for without all of tsconfig\.json: .+\.$/);
});
