import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FORMS, program, REFUSED } from '../../fixtures/forms/table.ts';
import { analyze, compile, compileHelper, mayHaveDirectives } from '../../src/compiler/index.ts';

describe('the compiler never throws on user code', () => {
  test('every prefix of every form: a file in the middle of being typed', () => {
    for (const each of [...FORMS, ...REFUSED]) {
      const source = program(each);
      for (let length = 0; length <= source.length; length += 3) {
        const { diagnostics, outputs } = compile(source.slice(0, length), {
          filename: each.file ?? 'src/main.ts',
          schemas: true,
        });
        if (diagnostics.some((found) => found.code === 'PAWL9004')) expect(outputs).toEqual({});
      }
    }
  });

  test('text with characters taken out, doubled and swapped', () => {
    const sources = FORMS.map((each) => program(each));
    fc.assert(
      fc.property(
        fc.constantFrom(...sources),
        fc.nat(),
        fc.nat(5),
        fc.constantFrom('', '{', ')', '`', "'use step'", 'class ', 'await ', '#', '=>', '\u2028'),
        (source, at, cut, text) => {
          const position = at % source.length;
          const broken = source.slice(0, position) + text + source.slice(position + cut);
          compile(broken, { filename: 'src/main.tsx', schemas: true });
          analyze(broken, { filename: 'src/main.js' });
          compileHelper(broken, { filename: 'src/main.ts' });
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('odd files', () => {
    for (const source of [
      '',
      '\uFEFF',
      '#!/usr/bin/env node\n',
      "'use step'",
      "'use step';",
      '\0',
      '<html>',
      '{"json": 1}',
      "'use workflow'\nexport default 1",
      '// use step',
    ])
      for (const filename of ['a.ts', 'a.tsx', 'a.js', 'a.cjs', 'a.mts', 'noending', 'a.vue'])
        compile(source, { filename, schemas: true });
  });

  test('names of what every object has', () => {
    const names = ['constructor', 'toString', 'hasOwnProperty', '__proto__', 'valueOf'];
    for (const name of names) {
      const source = `'${name}';
        import * as pawl from 'pawl';
        pawl.${name}({ slug: 'x' });
        export async function step() { '${name}'; 'use step'; switch (1 as unknown) { case '${name}': return '${name}'.length; } }
        export const ${name}Step = { async ${name}() { 'use step'; } };
        step.${name} = 1;`;
      const { diagnostics, facts } = compile(source, { filename: 'src/main.ts' });
      expect(diagnostics).toEqual([]);
      expect(facts?.functions.map(({ path }) => path)).toEqual(['step', `${name}Step.${name}`]);
      expect(facts?.definitions).toEqual([]);
    }
  });

  test('a file that does not parse is a diagnostic with a place', () => {
    const { diagnostics, outputs } = compile("export async function charge() {\n  'use step';\n  return 1 +;\n}\n", {
      filename: 'src/a.ts',
    });
    expect(diagnostics).toMatchObject([
      {
        code: 'PAWL9004',
        severity: 'error',
        file: 'src/a.ts',
        span: { line: 3, column: 13 },
        message: expect.stringContaining('Unexpected token'),
      },
    ]);
    expect(outputs).toEqual({});
  });
});

describe('the test that spares a parse', () => {
  test('says yes wherever a directive, a near miss, a definition or a serializable class could be', () => {
    for (const source of [
      "'use step'",
      '"use workflow"',
      '`use step`',
      "'Use Step'",
      "'use-steps'",
      "'use setp'",
      '"use wrokflow"',
      'defineAction({})',
      "static [Symbol.for('workflow-serialize')](x) {}",
      'static [serialize](x) {}',
      'import { WORKFLOW_DESERIALIZE } from "@workflow/serde"',
    ])
      expect(mayHaveDirectives(source), source).toBe(true);
  });

  test('finds in any text what one expression over all of it finds', () => {
    const directive = /['"`]\s*use[\s_-]*(?:[sw](?!trict|erver)|\\[xu])/i;
    const pieces = [
      "'",
      '"',
      '`',
      'use',
      'USE',
      'Use',
      ' ',
      '\n',
      '\u2003',
      '\u00e9',
      'step',
      'w',
      'strict',
      '-',
      '\\x',
      'u',
      'a',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 12 }), (chosen) => {
        const source = chosen.join('');
        expect(mayHaveDirectives(source)).toBe(directive.test(source));
      }),
      { numRuns: 3000 },
    );
  });

  test('says no to ordinary code, whose text comes back as it is', () => {
    for (const source of [
      "'use strict'; const a = 1;",
      "'use client'",
      '"use server"',
      'const step = useSteps();',
      'JSON.stringify(serialize(x))',
    ]) {
      expect(mayHaveDirectives(source), source).toBe(false);
      expect(compile(source, { filename: 'a.ts' })).toEqual({
        diagnostics: [],
        facts: null,
        outputs: {
          workflow: { code: source, map: null },
          step: { code: source, map: null },
          client: { code: source, map: null },
        },
      });
    }
  });
});
