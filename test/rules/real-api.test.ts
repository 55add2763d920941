/** Pages and examples show what there is: every name that is imported of pawl is exported by it, and works. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { exampleFiles, RULES } from '../../src/rules/index.ts';
import { ROOT } from '../support/dist.ts';

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

/** Entries of the package: `pawl`, `pawl/client`. */
const ENTRIES = Object.keys(packageJson.exports).map((entry) => entry.replace(/^\./, 'pawl'));
/** The folder that editors load. */
const FOLDERS = ['pawl/tsserver', 'pawl/docs'];

/** What the compiler writes, in examples of what it would not have written. */
const COMPILED = ['pawl/internal/workflow'];

interface Import {
  names: string[];
  types: string[];
  source: string;
}

function importsOf(code: string): Import[] {
  const found: Import[] = [];
  const statement = /\bimport\s+(type\s+)?(?:(\w+)\s*,?\s*)?(?:\{([^}]*)\}\s*)?(?:\*\s+as\s+\w+\s+)?from\s+'([^']+)'/g;
  for (const [, isType, byDefault, list = '', source = ''] of code.matchAll(statement)) {
    const pieces = list
      .split(',')
      .map((piece) => piece.trim().replace(/\s+as\s+.*$/, ''))
      .filter(Boolean);
    const types = pieces
      .filter((piece) => isType || piece.startsWith('type '))
      .map((piece) => piece.replace(/^type\s+/, ''));
    const names = isType ? [] : pieces.filter((piece) => !piece.startsWith('type '));
    if (byDefault && !isType) names.push('default');
    found.push({ names, types, source });
  }
  return found;
}

const fences = (markdown: string): string[] =>
  [...markdown.matchAll(/```(?:ts|js)\n([^]*?)```/g)].map(([, code]) => code ?? '');

/** What an entry exports at run time. */
async function exportsOf(entry: string): Promise<readonly string[]> {
  return Object.keys((await import(/* @vite-ignore */ entry)) as object);
}

async function wrongNames(code: string): Promise<string[]> {
  const wrong: string[] = [];
  for (const { names, types, source } of importsOf(code)) {
    if ((source !== 'pawl' && !source.startsWith('pawl/')) || COMPILED.includes(source)) continue;
    if (!ENTRIES.includes(source)) {
      wrong.push(source);
      continue;
    }
    const exported = await exportsOf(source);
    wrong.push(...names.filter((name) => !exported.includes(name)).map((name) => `${source}: ${name}`));
    const declared = source === 'pawl' ? read('src/index.ts') : '';
    wrong.push(
      ...types.filter((name) => !new RegExp(`\\b${name}\\b`).test(declared)).map((name) => `${source}: type ${name}`),
    );
  }
  return wrong;
}

test('an example that imports what is not there is found', async () => {
  expect(await wrongNames("import { DurableAgent } from 'pawl/agents';")).toEqual(['pawl/agents']);
  expect(await wrongNames("import { sleep as wait, nap } from 'pawl';")).toEqual(['pawl: nap']);
  expect(await wrongNames("import pawl, { type Nothing } from 'pawl';")).toEqual([
    'pawl: default',
    'pawl: type Nothing',
  ]);
  expect(await wrongNames("import { sleep, type Hook } from 'pawl';\nimport { getWritable } from 'workflow';")).toEqual(
    [],
  );
});

describe.each(RULES.map((rule) => [rule.name, rule] as const))('%s', (_name, rule) => {
  test('its examples import what exists', async () => {
    for (const { text } of [rule.bad, rule.good].flatMap(exampleFiles)) expect(await wrongNames(text)).toEqual([]);
  });
});

const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'docs/rules.md',
  ...readdirSync(join(ROOT, 'docs/rules')).map((file) => `docs/rules/${file}`),
];

test.each(PAGES)('%s names entries and exports that there are', async (page) => {
  const text = read(page);
  for (const code of fences(text)) expect(await wrongNames(code)).toEqual([]);
  const named = [...text.matchAll(/[`'"](pawl\/[a-z-]+(?:\/[a-z-]+)?)[`'"]/g)].map(([, entry]) => entry);
  const known = [...ENTRIES, ...FOLDERS, ...COMPILED];
  expect(named.filter((entry) => !known.includes(entry as string))).toEqual([]);
});
