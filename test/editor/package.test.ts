import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../support/dist.ts';

const read = (file: string) => JSON.parse(readFileSync(join(ROOT, file), 'utf8')) as { files: string[]; main: string };

test('the plugin for tsserver is published as a folder with a package.json of its own', () => {
  expect(read('package.json').files).toEqual(expect.arrayContaining(['dist', 'tsserver']));
  const { main } = read('tsserver/package.json');
  expect(main).toMatch(/\.cjs$/);
  expect(existsSync(join(ROOT, 'tsserver', main))).toBe(true);
});

test('it loads on a Node that cannot require ES modules: editors bring one of their own', () => {
  const code = "process.stdout.write(typeof require('./tsserver'))";
  const output = execFileSync(process.execPath, ['--no-experimental-require-module', '-e', code], { cwd: ROOT });
  expect(output.toString()).toBe('function');
});
