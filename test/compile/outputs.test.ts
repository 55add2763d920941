import { describe, expect, test } from 'vitest';
import { EXPRESSIONS, type FormCase, FORMS, PLACES, placed, program } from '../../fixtures/forms/table.ts';
import { compile } from '../../src/compiler/index.ts';
import { parseModule } from '../../src/compiler/parse/parse.ts';

const ALL: FormCase[] = [
  ...FORMS,
  ...PLACES.flatMap((place) =>
    Object.entries(EXPRESSIONS).map(([form, expression]) => ({
      ...placed(place, expression),
      name: `${form}: ${place.name}`,
    })),
  ),
];

describe('outputs', () => {
  test.each(ALL)('$name: silent, named, well-formed and not compiled twice', (each) => {
    const file = each.file ?? 'src/main.ts';
    const source = program(each);
    const { diagnostics, facts, outputs } = compile(source, { filename: file, schemas: true });
    expect(diagnostics.map((found) => `${found.code} ${found.message}`)).toEqual([]);
    expect(facts?.functions.map((fn) => fn.path).sort()).toEqual([each.id, 'main'].sort());
    for (const [target, output] of Object.entries(outputs)) {
      expect(parseModule(output.code, file).problems, `${target}\n${output.code}`).toEqual([]);
      expect(compile(output.code, { filename: file }).facts?.functions ?? [], target).toEqual([]);
    }
    expect(outputs.workflow?.code).not.toContain('where(n)');
  });
});
