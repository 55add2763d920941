import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { globSync } from 'tinyglobby';
import { afterAll, describe, expect, test } from 'vitest';
import { EXPRESSIONS, type FormCase, FORMS, PLACES, placed, program, REFUSED } from '../../fixtures/forms/table.ts';
import { createSession, type TypeBackend, type TypeSources } from '../../src/checker/index.ts';
import type { Types } from '../../src/rules/index.ts';
import { ROOT } from '../support/dist.ts';
import { temporaryProject } from '../support/project.ts';
import { TYPESCRIPTS, typesFrom } from '../support/types.ts';

/** TypeScript and pawl parse with different parsers. What facts name by offsets is found, whatever its form and place. */

class Watched implements TypeBackend {
  readonly answers: string[] = [];
  readonly #types: TypeBackend;

  constructor(types: TypeBackend) {
    this.#types = types;
  }

  get name(): string {
    return this.#types.name;
  }

  get notices(): readonly string[] {
    return this.#types.notices;
  }

  open(sources: TypeSources): Types | null {
    const types = this.#types.open(sources);
    return types && new Proxy(types, { get: (target, key) => this.#watch(target, key as keyof Types) });
  }

  dispose(): void {
    this.#types.dispose();
  }

  #watch(target: Types, key: keyof Types) {
    return (file: string, range: { start: number; end: number }) => {
      const answer = target[key](file, range);
      this.answers.push(`${answer ? 'found' : 'missing'} ${key} ${file}:${range.start}`);
      return answer;
    };
  }

  get missing(): string[] {
    return this.answers.filter((answer) => answer.startsWith('missing'));
  }
}

/** Each expression in one place, each place with one expression: what surrounds a function is found the same way for all. */
const everyForm: FormCase[] = [
  ...FORMS,
  ...Object.values(EXPRESSIONS).map((expression) => placed(PLACES[0] as FormCase, expression)),
  ...PLACES.map((place, index) => placed(place, Object.values(EXPRESSIONS)[index % 4] as string)),
];

const define = `
  export const serialize: unique symbol;
  export const deserialize: unique symbol;
  export function defineAction(options: object): { slug: string; run(input: string): Promise<number> };
  export const defineWorkflow: typeof defineAction;
  export const defineAgent: typeof defineAction;
  export function defineCredential(options: object): object;
`;
const SDKS = ['pawl', 'workflow', '@keystrokehq/keystroke/action', '@keystrokehq/keystroke/workflow']
  .map((name) => `declare module '${name}' {${define}}\n`)
  .join('');

const { 'TypeScript 5.5': _oldest, ...parsers } = TYPESCRIPTS;

describe.each(Object.entries(parsers))('%s', (_name, candidate) => {
  const types = typesFrom(candidate);
  afterAll(() => types.dispose());

  test('steps and workflows in every form and place, and calls of them', async () => {
    const watched = new Watched(types);
    const files = everyForm.map((each, index): [string, string] => [
      (each.file ?? 'src/main.ts').replace('main', `case${index}`),
      program(each),
    ]);
    const root = temporaryProject(Object.fromEntries(files));
    await createSession({ root, types: watched, cache: false }).check();
    expect(watched.missing).toEqual([]);
    expect(watched.answers.length).toBeGreaterThan(2 * everyForm.length);
    expect(types.notices).toEqual([]);
  });

  test('what the fixtures of the compiler have', async () => {
    const watched = new Watched(types);
    const inputs = globSync(['fixtures/compile/*/input.*'], { cwd: ROOT }).sort();
    const files = inputs.map((file): [string, string] => [
      `src/${file.split('/')[2]}.${file.split('.').at(-1)}`,
      readFileSync(join(ROOT, file), 'utf8'),
    ]);
    const tsconfig = JSON.stringify({ compilerOptions: { module: 'preserve', types: [] } });
    const root = temporaryProject({ ...Object.fromEntries(files), 'sdks.d.ts': SDKS, 'tsconfig.json': tsconfig });
    await createSession({ root, types: watched, cache: false }).check();
    // What is no call with options in place has no types that anyone could ask for.
    expect(watched.missing.filter((answer) => !answer.includes('-refused.ts'))).toEqual([]);
    expect(watched.answers).toContainEqual(expect.stringMatching(/^found definition/));
    expect(watched.answers.length).toBeGreaterThan(inputs.length);
  });

  test('code that is refused or half written gives answers or none, and no failure', async () => {
    const watched = new Watched(types);
    const files = REFUSED.map((each, index): [string, string] => [
      (each.file ?? 'src/main.ts').replace('main', `case${index}`),
      program(each),
    ]);
    const root = temporaryProject(Object.fromEntries(files));
    const session = createSession({ root, types: watched, cache: false });
    await session.check();
    const text = readFileSync(join(ROOT, 'fixtures/rules/unserializable-boundary/invalid.ts'), 'utf8');
    for (let cut = 1; cut < 40; cut++) {
      session.update('src/cut.ts', text.slice(0, Math.floor((text.length * cut) / 40)));
      await session.check();
    }
    expect(types.notices).toEqual([]);
  });
});
