import { type ParserOptions, transformSync } from '@babel/core';
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

/** Babel builds its own scopes when it transforms, and refuses what is declared twice. */
function expectBabelAccepts(code: string, file: string): void {
  const plugins: ParserOptions['plugins'] = ['typescript', 'decorators-legacy', 'decoratorAutoAccessors'];
  if (file.endsWith('x')) plugins.push('jsx');
  const result = transformSync(code, {
    filename: file,
    configFile: false,
    babelrc: false,
    code: false,
    parserOpts: { plugins, sourceType: 'unambiguous', allowReturnOutsideFunction: true },
  });
  expect(result).not.toBeNull();
}

describe('outputs', () => {
  test.each(ALL)('$name: silent, named, well-formed and not compiled twice', (each) => {
    const file = each.file ?? 'src/main.ts';
    const source = program(each);
    const { diagnostics, facts, outputs } = compile(source, { filename: file, schemas: true });
    expect(diagnostics.map((found) => `${found.code} ${found.message}`)).toEqual([]);
    expect(facts?.functions.map((fn) => fn.path).sort()).toEqual([each.id, 'main'].sort());
    for (const [target, output] of Object.entries(outputs)) {
      expect(parseModule(output.code, file).problems, `${target}\n${output.code}`).toEqual([]);
      expectBabelAccepts(output.code, file);
      expect(compile(output.code, { filename: file }).facts?.functions ?? [], target).toEqual([]);
    }
    expect(outputs.workflow?.code).not.toContain('where(n)');
  });
});
