import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { globSync } from 'tinyglobby';
import { describe, expect, test } from 'vitest';
import { createSession } from '../../src/checker/index.ts';
import { analyze } from '../../src/compiler/index.ts';
import { formatPretty } from '../../src/diagnostics/index.ts';
import { ROOT } from '../support/dist.ts';

/** A file in the middle of being typed gives findings or none, never a crash; each has a place within the text. */
const CUTS = 12;
const LARGE = 100_000;

/** Positions spread over a text, and right behind what opens something. */
function cuts(text: string): number[] {
  const places = new Set<number>([0, text.length - 1]);
  // Each cut of the bundle of a recorded history takes as long as a whole fixture.
  const every = text.length > LARGE ? 301 : 7;
  for (let cut = 1; cut < CUTS; cut++) places.add(Math.floor((text.length * cut) / CUTS));
  for (const match of text.matchAll(/['"`({[<=.@]|=>|\b(?:async|import|export|class|await)\b/g)) {
    if ((match.index * 31) % every === 0) places.add(match.index + match[0].length);
  }
  return [...places].filter((place) => place >= 0);
}

const files = globSync(['fixtures/**/*.{ts,tsx,js,jsx,cjs,mts}'], { cwd: ROOT }).sort();

test('there are fixtures to cut', () => {
  expect(files.length).toBeGreaterThan(80);
});

describe('analyze', () => {
  test.each(files)('%s', (file) => {
    const text = readFileSync(join(ROOT, file), 'utf8');
    for (const cut of cuts(text)) {
      const part = text.slice(0, cut);
      const { facts, diagnostics } = analyze(part, { filename: file, calls: true });
      expect(facts.file).toBe(file);
      for (const { span } of diagnostics) {
        expect(span.start).toBeGreaterThanOrEqual(0);
        expect(span.end).toBeLessThanOrEqual(part.length);
        expect(span.start).toBeLessThanOrEqual(span.end);
      }
    }
  });
});

const programs = globSync(['fixtures/programs/*/src', 'fixtures/rules/*/*/src', 'fixtures/apps/*/src'], {
  cwd: ROOT,
  onlyDirectories: true,
});

describe('the checker', () => {
  test.each(programs.sort())('%s', async (folder) => {
    const root = join(ROOT, folder, '..');
    const session = createSession({ root });
    for (const file of globSync(['src/**/*.{ts,tsx,js,jsx,cjs,mts}'], { cwd: root })) {
      const text = readFileSync(join(root, file), 'utf8');
      for (const cut of cuts(text).filter((_, index) => index % 3 === 0)) {
        session.update(file, text.slice(0, cut));
        const { diagnostics } = await session.check();
        expect(formatPretty(diagnostics, { source: (name) => session.source(name) })).toMatch(/\n$/);
      }
      session.update(file, null);
    }
  });
});
