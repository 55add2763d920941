import { describe, expect, test } from 'vitest';
import { EXPRESSIONS, type FormCase, FORMS, PLACES, placed, program } from '../../fixtures/forms/table.ts';
import { createTestRuntime } from '../../src/testing/index.ts';

const everyPlace = PLACES.flatMap((place) =>
  Object.entries(EXPRESSIONS).map(([form, expression]) => ({
    ...placed(place, expression),
    name: `${form}: ${place.name}`,
  })),
);

/** All cases of a group are modules of one program: one build, one run each. */
async function execute(cases: FormCase[]) {
  const sources = Object.fromEntries(
    cases.map((each, i) => [fileOf(each, i), program(each).replaceAll('./main.ts', `./${fileOf(each, i).slice(4)}`)]),
  );
  const tsconfig = JSON.stringify({ compilerOptions: { jsx: 'react' } });
  const runtime = await createTestRuntime({ sources: { ...sources, 'tsconfig.json': tsconfig } });
  try {
    const results: Record<string, unknown> = {};
    const expected: Record<string, unknown> = {};
    for (const [i, each] of cases.entries()) {
      const file = fileOf(each, i);
      const run = await runtime.start(`${file}#main`, []);
      const value = await runtime.finish(run).catch((error: unknown) => `${error}`);
      const steps = Object.keys(runtime.manifest.steps).filter((id) => id.startsWith(`${file}#`));
      results[each.name] = [value, steps];
      expected[each.name] = ['outside:1', [`${file}#${each.id}`]];
    }
    return { results, expected };
  } finally {
    await runtime.close();
  }
}

function fileOf(each: FormCase, i: number): string {
  return (each.file ?? 'src/main.ts').replace('main', `case${i}`);
}

describe('a step runs outside of the sandbox, whatever its form and place', () => {
  test('forms of their own', async () => {
    const { results, expected } = await execute(FORMS);
    expect(results).toEqual(expected);
  });

  test.each(Object.keys(EXPRESSIONS))('%s, in every place', async (form) => {
    const { results, expected } = await execute(everyPlace.filter((each) => each.name.startsWith(`${form}: `)));
    expect(results).toEqual(expected);
  });
});
