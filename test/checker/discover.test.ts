import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { discoverEntries, entryMatcher } from '../../src/checker/discover.ts';
import { temporaryProject } from '../support/project.ts';

/** Tests may run as root, who may read everything. */
function failing(name: string, code: string): typeof readdirSync {
  const read = (...args: Parameters<typeof readdirSync>): unknown => {
    if (String(args[0]).replace(/\/$/, '').endsWith(name)) throw Object.assign(new Error(`${code}: no`), { code });
    return readdirSync(...args);
  };
  return read as typeof readdirSync;
}

test('a directory that cannot be read is an error that names it', () => {
  const root = temporaryProject({ 'src/a.ts': '', 'src/secret/b.ts': '' });
  expect(() => discoverEntries(root, null, failing('secret', 'EACCES'))).toThrow(
    expect.objectContaining({
      code: 'PAWL_FILE_UNREADABLE',
      message: 'The directory cannot be read: permission denied.',
      place: expect.stringContaining(join(root, 'src/secret')),
    }),
  );
});

test('one that is gone by then is none', () => {
  const root = temporaryProject({ 'src/a.ts': '', 'src/gone/b.ts': '' });
  expect(discoverEntries(root, null, failing('gone', 'ENOENT'))).toEqual(['src/a.ts']);
});

test('what no entry is in is not looked at', () => {
  const root = temporaryProject({ 'src/a.ts': '', 'node_modules/x/b.ts': '', 'data/c.ts': '' });
  expect(discoverEntries(root, null, failing('node_modules', 'EACCES'))).toEqual(['src/a.ts']);
  expect(discoverEntries(root, ['src/**/*.ts'], failing('data', 'EACCES'))).toEqual(['src/a.ts']);
});

test('the matcher takes what discovery takes', () => {
  const files = [
    'src/a.ts',
    'src/a.test.ts',
    'src/b/c.tsx',
    'src/types.d.ts',
    'lib/d.ts',
    'src/.hidden/e.ts',
    'src/f.txt',
  ];
  const root = temporaryProject(Object.fromEntries(files.map((file) => [file, ''])));
  for (const entries of [
    null,
    ['src/**/*.ts', '!src/b/**'],
    ['./lib/*.ts'],
    ['src/**', '!**/*.test.ts'],
    ['{src,lib}/*.ts'],
    [],
  ]) {
    const taken = files.filter(entryMatcher(entries)).sort();
    expect(taken, String(entries)).toEqual(discoverEntries(root, entries));
  }
});

test('without a folder src everything is an entry but tests and what tools put there', () => {
  const files = [
    'app/api/orders/route.ts',
    'workflows/order.ts',
    'lib/a.mts',
    'workflows/order.test.ts',
    '__tests__/b.ts',
    'next-env.d.ts',
    '.next/server/a.js',
    'dist/a.js',
    'packages/x/build/a.js',
    '.pawl/steps.js',
    'node_modules/x/index.js',
    'packages/y/package.json',
    'packages/y/src/a.ts',
  ];
  const root = temporaryProject(Object.fromEntries(files.map((file) => [file, ''])));
  const wanted = ['app/api/orders/route.ts', 'lib/a.mts', 'workflows/order.ts'];
  expect(discoverEntries(root)).toEqual(wanted);
  expect(files.filter(entryMatcher(null, root)).sort()).toEqual(wanted);
  const other = temporaryProject({ 'src/a.ts': '', 'lib/b.ts': '' });
  expect(discoverEntries(other)).toEqual(['src/a.ts']);
});
