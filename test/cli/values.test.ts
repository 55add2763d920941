import picocolors from 'picocolors';
import { expect, test } from 'vitest';
import { showThrown } from '../../src/cli/values.ts';
import { PawlError } from '../../src/errors.ts';

const plain = picocolors.createColors(false);

test('an error of pawl shows its code, place and remedy; one of the program its name', () => {
  const error = new PawlError('PAWL_NOT_SERIALIZABLE', 'A function cannot be recorded.', {
    place: 'the result of `load`, at `.then`',
    remedy: 'Return plain data.',
  });
  expect(showThrown(error, plain)).toMatch(
    /^error PAWL_NOT_SERIALIZABLE: A function cannot be recorded\.\n {2}at the result of `load`, at `\.then`\n {2}Return plain data\./,
  );
  expect(showThrown(Object.assign(new Error('gone'), { code: 'ENOENT', place: 'x' }), plain)).toMatch(
    /^Error: gone\n {2}at [^x]/,
  );
});
