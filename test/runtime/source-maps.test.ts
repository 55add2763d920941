import { expect, test } from 'vitest';
import { mapStack, placeOf, registerSourceMap } from '../../src/runtime/source-maps.ts';

/** Line 1, column 1 of the bundle is line 3, column 5 of `src/orders.ts`. */
const MAP = JSON.stringify({ version: 3, sources: ['../src/orders.ts'], names: [], mappings: 'AAEI' });

test.each(['/tmp/q/(x)/.pawl/steps.js', '/tmp/q (copy)/steps.js', '/tmp/plain/steps.js'])('frames of %s', (file) => {
  registerSourceMap(file, () => MAP);
  const stack = [
    'Error: no (really) at all:1:2',
    `    at charge (${file}:1:1)`,
    `    at async Object.charge (${file}:1:1)`,
    `    at ${file}:1:1`,
    `    at new Order [as make] (${file}:1:1)`,
    '    at new Promise (<anonymous>)',
    '    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)',
  ].join('\n');
  expect(mapStack(stack)).toBe(
    [
      'Error: no (really) at all:1:2',
      '    at charge (src/orders.ts:3:5)',
      '    at async charge (src/orders.ts:3:5)',
      '    at src/orders.ts:3:5',
      '    at new Order [as make] (src/orders.ts:3:5)',
    ].join('\n'),
  );
  expect(placeOf(mapStack(stack))).toEqual({ file: 'src/orders.ts', line: 3, column: 5 });
});
