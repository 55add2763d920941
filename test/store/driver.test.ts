import { expect, test } from 'vitest';
import { hasSoundSqlite } from '../../src/store/sqlite/driver.ts';

test.each([
  [undefined, false],
  ['', false],
  ['3.46.1', false],
  ['3.51.2', false],
  ['3.51.3', true],
  ['3.51.10', true],
  ['3.52.0', true],
  ['4.0.0', true],
])('the SQLite %s of Node is used: %s', (version, sound) => {
  expect(hasSoundSqlite(version)).toBe(sound);
});
