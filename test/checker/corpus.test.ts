import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createSession } from '../../src/checker/index.ts';
import { formatPretty } from '../../src/diagnostics/index.ts';
import { ROOT } from '../support/dist.ts';

/** Correct programs in many styles: a checker that cries wolf is worse than none. */
const FOLDERS = ['fixtures/programs', 'fixtures/apps'];

const programs = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(ROOT, folder, entry.name, 'src')))
    .map((entry) => `${folder}/${entry.name}`),
);

describe.each(programs)('%s', (program) => {
  test('is checked without a finding', async () => {
    const session = createSession({ root: join(ROOT, program) });
    const { diagnostics: all, stats } = await session.check();
    // The programs use packages that are not installed here.
    const diagnostics = all.filter(
      ({ rule, message }) => rule !== 'unresolved-import' || !/there is no package/.test(message),
    );
    expect(formatPretty(diagnostics, { source: (file) => session.source(file) })).toBe('no findings\n');
    expect(stats.workflows).toBeGreaterThan(0);
  });
});
