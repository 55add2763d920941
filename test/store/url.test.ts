import { expect, test } from 'vitest';
import { parseStoreUrl } from '../../src/store/url.ts';

test.each([
  ['sqlite:/what?/.pawl/pawl.db', '/what?/.pawl/pawl.db', 'full'],
  ['sqlite:/what?a=b/.pawl/pawl.db', '/what?a=b/.pawl/pawl.db', 'full'],
  ['sqlite:/what?/pawl.db?durability=normal', '/what?/pawl.db', 'normal'],
  ['sqlite:really?', 'really?', 'full'],
  ['sqlite:a.db?durability=normal', 'a.db', 'normal'],
])('%s', (url, path, durability) => {
  expect(parseStoreUrl(url)).toMatchObject({ path, durability });
});

test.each([
  ['sqlite:a.db?cache=shared', /unknown option 'cache'/],
  ['sqlite:/what?/a.db?durability=low', /'low' is no durability/],
  ['sqlite:?durability=full', /names no file/],
])('%s is refused', (url, message) => {
  expect(() => parseStoreUrl(url)).toThrow(message);
});
