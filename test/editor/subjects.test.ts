import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { build } from '../../src/bundler/index.ts';
import { EditorProject } from '../../src/editor/project.ts';
import { ROOT } from '../support/dist.ts';
import { temporaryProject } from '../support/project.ts';
import { editorProject } from './support/project.ts';

/** What an editor says of a program is what its manifest says. */
const apps = readdirSync(join(ROOT, 'fixtures/apps')).filter((name) =>
  existsSync(join(ROOT, 'fixtures/apps', name, 'src')),
);

describe.each(apps)('%s', (app) => {
  test('workflows reach the steps that the manifest lists, and steps have its options and captures', async () => {
    const root = join(ROOT, 'fixtures/apps', app);
    const outDir = join(temporaryProject({}), 'out');
    const { output } = await build({ root, config: { outDir } });
    const manifest = output?.manifest;
    const { subjects } = new EditorProject({ root, types: () => null }).check();
    const all = subjects.all();
    const reached = all
      .filter(({ kind }) => kind === 'workflow')
      .map((each) => [each.id, subjects.reachedBy(each).map(({ step }) => step.id)]);
    // The steps of agents are pawl's own: they stand in no file of the program.
    const own = (ids: readonly string[]): string[] => ids.filter((id) => !id.startsWith('pawl/agent#'));
    expect(Object.fromEntries(reached)).toEqual(
      Object.fromEntries(Object.entries(manifest?.workflows ?? {}).map(([id, { steps }]) => [id, own(steps)])),
    );
    expect(reached.length).toBeGreaterThan(0);
    const steps = all.filter(({ kind }) => kind !== 'workflow').map(({ id }) => id);
    expect(steps.sort()).toEqual(own(Object.keys(manifest?.steps ?? {})).sort());
    for (const subject of all) {
      const text = readFileSync(join(root, subject.file), 'utf8');
      expect(text.slice(subject.nameSpan.start, subject.nameSpan.end)).toMatch(/^[\w$]+$/);
    }
  });
});

test.each([
  ['const tell = async () => {', 'tell'],
  ['const tell: () => Promise<void> = async () => {', 'tell'],
  ['const $tell_1 = (async function () {', '$tell_1'],
  ['const steps = { tell: async () => {', 'tell'],
  ['const tell =\n    async () => {', 'tell'],
  ['async function tell() {', 'tell'],
])('a nested step is named where people read its name: %s', (head, name) => {
  const close = { '(': '})', '{ ': '} }' };
  const end = Object.entries(close).find(([start]) => new RegExp(`[=] \\${start}`).test(head))?.[1] ?? '}';
  const text = `export async function flow() {\n  'use workflow';\n  ${head}\n    'use step';\n  ${end};\n}\n`;
  const { subjects } = editorProject({ 'src/a.ts': text }).check();
  const step = subjects.in('src/a.ts').find(({ kind }) => kind === 'step');
  expect(text.slice(step?.nameSpan.start, step?.nameSpan.end)).toBe(name);
  expect(step?.nameSpan.line).toBe(3);
});
