import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { globSync } from 'tinyglobby';
import { describe, expect, test } from 'vitest';
import { actionsFor, fixAllAction } from '../../src/editor/actions.ts';
import { hoverAt } from '../../src/editor/hover.ts';
import { definitionsAt, lensesOf, referencesAt, searchSubjects } from '../../src/editor/navigate.ts';
import { EditorProject } from '../../src/editor/project.ts';
import { formatPretty } from '../../src/diagnostics/index.ts';
import { ROOT } from '../support/dist.ts';

/** A file in the middle of being typed: whatever an editor asks, there is an answer, and its places are in the text. */
const CUTS = 3;
/** Of the places behind what opens something, one of so many. */
const EVERY = 41;

const files = globSync(['fixtures/{programs,rules,apps,compile}/**/*.{ts,tsx,js,jsx,cjs,mts,cts}'], { cwd: ROOT });
const folders = [...new Set(files.map((file) => file.split('/').slice(0, 3).join('/')))].sort();

test('there are fixtures to cut', () => {
  expect(folders.length).toBeGreaterThan(30);
});

describe('every question is answered', () => {
  test.each(folders)('%s', (folder) => {
    const roots = new Map<string, EditorProject>();
    for (const file of files.filter((each) => each.startsWith(`${folder}/`))) {
      const path = join(ROOT, file);
      const root = rootOf(path);
      const project = roots.get(root) ?? new EditorProject({ root, types: () => null, cache: false });
      roots.set(root, project);
      const text = readFileSync(path, 'utf8');
      for (const end of cuts(text, file.length % 7)) askEverything(project, path, text.slice(0, end));
      project.update(path, null);
    }
    for (const project of roots.values()) project.dispose();
  });
});

/** Places spread over a text, not the same in each file, and some right behind what opens something. */
function cuts(text: string, shift: number): Set<number> {
  const places = new Set<number>();
  for (let cut = 0; cut <= CUTS; cut++) {
    places.add(Math.min(text.length, Math.floor((text.length * cut) / CUTS) + shift));
  }
  for (const match of text.matchAll(/['"`({[<=.@]|=>|\b(?:async|import|export|class|await)\b/g)) {
    if ((match.index * 31) % EVERY === 0) places.add(match.index + match[0].length);
  }
  return places;
}

function rootOf(path: string): string {
  const at = path.lastIndexOf('/src/');
  return at < 0 ? dirname(path) : path.slice(0, at);
}

function askEverything(project: EditorProject, path: string, text: string): void {
  project.update(path, text);
  const { diagnostics, subjects } = project.check();
  const file = project.relative(path);
  expect(formatPretty([...diagnostics.values()].flat(), { source: (name) => project.text(name) })).toMatch(/\n$/);
  const own = diagnostics.get(file) ?? [];
  const inside = ({ start, end }: { start: number; end: number }): void => {
    expect(start).toBeGreaterThanOrEqual(0);
    expect(end).toBeGreaterThanOrEqual(start);
    expect(end).toBeLessThanOrEqual(text.length);
  };
  for (const { span } of own) inside(span);
  for (const { edits } of actionsFor(file, text, own, { start: 0, end: text.length }))
    for (const edit of edits) inside(edit);
  fixAllAction(text, own);
  for (const { span } of lensesOf(file, subjects)) inside(span);
  searchSubjects('a', subjects);
  const facts = project.facts(file);
  for (const offset of [0, text.length >> 1, text.length]) {
    const hover = hoverAt({ file, offset, facts, diagnostics: own, subjects, link: () => null });
    if (hover) inside(hover.span);
    definitionsAt(file, offset, subjects);
    referencesAt(file, offset, subjects, true);
  }
}
