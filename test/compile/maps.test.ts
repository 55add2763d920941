import { decodedMappings, type SourceMapInput, TraceMap } from '@jridgewell/trace-mapping';
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

  test('name the file relative to the root and carry its text', () => {
    const source = program(FORMS[0] as FormCase);
    const { map } = compile(source, { filename: '/p/src/a.ts', root: '/p' }).outputs.step as {
      map: { sources: string[]; sourcesContent: string[] };
    };
    expect(map.sources).toEqual(['src/a.ts']);
    expect(map.sourcesContent).toEqual([source]);
  });
});
