import { decodedMappings, originalPositionFor, type SourceMapInput, TraceMap } from '@jridgewell/trace-mapping';
import { describe, expect, test } from 'vitest';
import { EXPRESSIONS, type FormCase, FORMS, PLACES, placed, program } from '../../fixtures/forms/table.ts';
import { compile } from '../../src/compiler/index.ts';

const ALL: FormCase[] = [
  ...FORMS,
  ...PLACES.flatMap((place) => Object.values(EXPRESSIONS).map((expression) => placed(place, expression))),
];

/** Segments of the map whose place in the output and in the source do not hold the same word. */
function wrongSegments(source: string, code: string, map: unknown): { wrong: string[]; words: number } {
  const sourceLines = source.split('\n');
  const lines = code.split('\n');
  const wrong: string[] = [];
  let words = 0;
  decodedMappings(new TraceMap(map as SourceMapInput)).forEach((segments, line) => {
    for (const segment of segments) {
      if (segment.length < 4) continue;
      const [column, , sourceLine = 0, sourceColumn = 0] = segment;
      const word = /^[\w$]+/.exec((lines[line] ?? '').slice(column))?.[0];
      if (word === undefined || word.startsWith('__pawl_')) continue;
      words++;
      const original = (sourceLines[sourceLine] ?? '').slice(sourceColumn);
      if (!original.startsWith(word))
        wrong.push(`${line + 1}:${column} '${word}' -> ${sourceLine + 1}:${sourceColumn} '${original.slice(0, 12)}'`);
    }
  });
  return { wrong, words };
}

describe('source maps', () => {
  test('lead every word that survives back to itself, moved code included', () => {
    for (const each of ALL) {
      const source = program(each);
      const { outputs } = compile(source, { filename: each.file ?? 'src/main.ts', schemas: true });
      for (const [target, { code, map }] of Object.entries(outputs)) {
        const { wrong, words } = wrongSegments(source, code, map);
        expect(wrong, `${each.name} ${target}\n${code}`).toEqual([]);
        expect(words).toBeGreaterThan(1);
      }
    }
  });

  test('lead from what stands in for a body to nowhere, and on from there', () => {
    const source = `export async function a() { 'use step' } ; export async function b(n: number) { 'use step' } ; export const after = 1;
export function make(x: number) { async function c() { 'use step'; return x } return [c, after, 'ä'] }
export class K { static async d() { 'use step' } static e = 2 }
export async function main() { 'use workflow'; return [a(), b(1), K, make(1)]; }`;
    const { outputs } = compile(source, { filename: 'src/a.ts' });
    const stubs: Record<string, number> = {};
    for (const [target, { code, map }] of Object.entries(outputs)) {
      const trace = new TraceMap(map as SourceMapInput);
      const lines = code.split('\n');
      const placeOf = (line: number, column: number) => originalPositionFor(trace, { line: line + 1, column }).line;
      stubs[target] = 0;
      for (const [line, text] of lines.entries()) {
        for (const { index } of text.matchAll(/\((?:__pawl_\d, )?\.\.\.__pawl_(?:args|rest)\) \{.*?\}/g)) {
          stubs[target]++;
          expect([placeOf(line, index - 1), placeOf(line, index), placeOf(line, index + 30)]).toEqual([
            expect.any(Number),
            null,
            null,
          ]);
        }
      }
      expect(wrongSegments(source, code, map)).toEqual({ wrong: [], words: expect.any(Number) });
      for (const word of ['after =', "'ä'", 'static e']) {
        const line = lines.findIndex((text) => text.includes(word));
        const original = source.split('\n').findIndex((text) => text.includes(word));
        expect(placeOf(line, (lines[line] as string).indexOf(word))).toBe(original + 1);
      }
    }
    expect(stubs).toEqual({ workflow: 5, step: 1, client: 0 });
  });

  test('name the file relative to the root and carry its text', () => {
    const source = program(FORMS[0] as FormCase);
    const { map } = compile(source, { filename: '/p/src/a.ts', root: '/p' }).outputs.step as {
      map: { sources: string[]; sourcesContent: string[] };
    };
    expect(map.sources).toEqual(['src/a.ts']);
    expect(map.sourcesContent).toEqual([source]);
  });

  test('are left out on demand; the code is the same', () => {
    const source = program(FORMS[0] as FormCase);
    const { outputs } = compile(source, { filename: 'src/a.ts' });
    const bare = compile(source, { filename: 'src/a.ts', maps: false }).outputs;
    for (const target of ['workflow', 'step', 'client'] as const) {
      expect(outputs[target]?.map).not.toBeNull();
      expect(bare[target]).toEqual({ code: outputs[target]?.code, map: null });
    }
  });
});
