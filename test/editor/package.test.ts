import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { ROOT } from '../support/dist.ts';

test('the plugin for tsserver is published as a folder with a package.json of its own', () => {
  const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ files }] = JSON.parse(output) as [{ files: { path: string }[] }];
  const paths = files.map(({ path }) => path);
  expect(paths.filter((path) => path.startsWith('tsserver/')).sort()).toEqual([
    'tsserver/index.cjs',
    'tsserver/package.json',
  ]);
  expect(paths).toContain('dist/language-server.js');
});

test('it loads on a Node that cannot require ES modules: editors bring one of their own', () => {
  const code = "process.stdout.write(typeof require('./tsserver'))";
  const output = execFileSync(process.execPath, ['--no-experimental-require-module', '-e', code], { cwd: ROOT });
  expect(output.toString()).toBe('function');
});
