import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { globSync } from 'tinyglobby';
import { describe, expect, test } from 'vitest';
import { analyze } from '../../src/compiler/index.ts';
import { ROOT } from '../support/dist.ts';

/**
 * A file in the middle of being typed gives findings or none, never a crash; each has a place within the text. What whole projects with
 * such a file give is among the tests of the editor.
 */
const CUTS = 12;
const LARGE = 10_000;

/** Positions spread over a text, and right behind what opens something. */
function cuts(text: string): number[] {
  const places = new Set<number>([0, text.length - 1]);
  // Each cut of a long table, or of the bundle of a recorded history, takes as long as whole fixtures.
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
