import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  ExecuteCommandRequest,
  ShowDocumentRequest,
  ShowMessageRequest,
  WorkspaceSymbolRequest,
} from 'vscode-languageserver-protocol/node';
import { createSession } from '../../src/checker/index.ts';
import { temporaryProject } from '../support/project.ts';
import { applyEdit, type EditorClient, positionOf, rangeOf, startClient, uriOf } from './support/client.ts';

const STEPS = `export async function reserve(sku: string) {
  'use step';
  return sku;
}
reserve.maxRetries = 5;
reserve.timeout = '10s';

export async function charge(amount: number) {
  'use step';
  return amount;
}
charge.retryAfter = Number(process.env.WAIT);
`;
const HELPERS = `import { charge, reserve } from './steps';

export const pay = async (sku: string) => {
  await reserve(sku);
  return charge(sku.length);
};
`;
const FULFIL = `import { pay } from './helpers';
import { reserve } from './steps';

export async function fulfil(sku: string, tries = 2) {
  'use workflow';
  const tell = async () => {
    'use step';
    return [sku, tries];
  };
  await reserve(sku);
  await tell();
  return pay(sku);
}

export async function nothing(sku: string) {
  'use workflow';
  return sku;
}
`;

async function shop(files: Record<string, string> = {}) {
  const all: Record<string, string> = {
    'package.json': '{ "name": "shop" }',
    'src/steps.ts': STEPS,
    'src/helpers.ts': HELPERS,
    'src/fulfil.ts': FULFIL,
    ...files,
  };
  const root = temporaryProject(all);
  const client = await startClient({ folders: [root] });
  const path = (file: string) => join(root, file);
  const open = async (file: string) => {
    await client.open(path(file), all[file] as string);
    return path(file);
  };
  const at = (file: string, word: string, occurrence = 1) => ({
    uri: uriOf(path(file)),
    range: rangeOf(all[file] as string, word, occurrence),
  });
  return { root, client, path, open, at };
}

async function hovered(
  client: EditorClient,
  path: string,
  text: string,
  word: string,
  occurrence = 1,
): Promise<string> {
  const position = positionOf(text, word, occurrence);
  const hover = await client.hover(path, { line: position.line, character: position.character + 1 });
  const contents = hover?.contents as { kind: string; value: string } | undefined;
  if (contents) expect(contents.kind).toBe('markdown');
  return contents?.value ?? '';
}

describe('hover', () => {
  test('a directive, its function, and mentions of it', async () => {
    const { client, open, path } = await shop();
    const file = await open('src/fulfil.ts');
    const directive = await hovered(client, file, FULFIL, 'use workflow');
    expect(directive).toContain('**workflow** `src/fulfil.ts#fulfil`');
    expect(directive).toMatch(/replayed/);
    expect(directive).toContain('It reaches 3 steps:');
    expect(directive).toContain(`- \`src/steps.ts#charge\` ([src/steps.ts:8](${uriOf(path('src/steps.ts'))}#L8))`);
    expect(await hovered(client, file, FULFIL, 'fulfil(')).toBe(directive);
    expect(await hovered(client, file, FULFIL, 'use workflow', 2)).toContain('It reaches no steps.');
    const step = await hovered(client, file, FULFIL, 'reserve(sku)');
    expect(step).toContain('**step** `src/steps.ts#reserve`');
    expect(step).toContain('`maxRetries`: 5, 6 attempts in all');
    expect(step).toContain('`timeout`: 10s for each attempt');
    expect(step).toContain('reached from 1 workflow:\n  - `src/fulfil.ts#fulfil`');
    await open('src/steps.ts');
    expect(await hovered(client, path('src/steps.ts'), STEPS, 'use step')).toBe(step);
  });

  test('captures, and options that only a run knows', async () => {
    const { client, open, path } = await shop();
    const file = await open('src/fulfil.ts');
    const nested = await hovered(client, file, FULFIL, 'use step');
    expect(nested).toContain('**step** `src/fulfil.ts#fulfil/tell`');
    expect(nested).toContain('captures `sku`, `tries`');
    expect(nested).toContain('`maxRetries`: 3 (default), 4 attempts in all');
    await open('src/steps.ts');
    const charge = await hovered(client, path('src/steps.ts'), STEPS, 'charge');
    expect(charge).toContain('`retryAfter`: computed when the module is loaded');
    expect(charge).toContain('`timeout`: none (default)');
  });

  test('an option where it is set', async () => {
    const { client, open } = await shop();
    const file = await open('src/steps.ts');
    expect(await hovered(client, file, STEPS, 'maxRetries')).toMatch(/^`maxRetries`\n\nHow often/);
    expect(await hovered(client, file, STEPS, 'reserve.maxRetries')).toContain('**step** `src/steps.ts#reserve`');
  });

  test('definitions by name, slug and mention', async () => {
    const action = `import { defineAction } from 'pawl';
import { z } from 'zod';
export const triage = defineAction({
  slug: 'triage-it',
  description: 'Sorts what comes in.',
  input: z.object({}),
  output: z.object({}),
  run: async () => ({}),
});
`;
    const workflow = `import { defineWorkflow } from 'pawl';
import { z } from 'zod';
import { triage } from './actions/triage';
export const inbox = defineWorkflow({
  slug: 'inbox',
  input: z.object({}),
  output: z.object({}),
  run: async () => triage.run({}),
});
`;
    const { client, open } = await shop({ 'src/actions/triage.ts': action, 'src/inbox.ts': workflow });
    const file = await open('src/inbox.ts');
    expect(await hovered(client, file, workflow, 'inbox')).toContain('It reaches 1 step:\n- `triage-it`');
    const mention = await hovered(client, file, workflow, 'triage.run');
    expect(mention).toContain('**action** `triage-it`\n\nSorts what comes in.');
    expect(mention).toContain('reached from 1 workflow:\n  - `inbox`');
    expect(await hovered(client, await open('src/actions/triage.ts'), action, 'triage-it')).toBe(mention);
  });

  test('a directive for a whole module', async () => {
    const text = "'use step';\nexport async function a() {}\nexport const b = async () => {};\n";
    const { client, open } = await shop({ 'src/all.ts': text });
    const shown = await hovered(client, await open('src/all.ts'), text, 'use step');
    expect(shown).toContain('for the whole module');
    expect(shown).toMatch(/`src\/all\.ts#a`.*\n.*`src\/all\.ts#b`/);
  });

  test('the rule of a finding, and of a code in a suppression', async () => {
    const text = `export async function flow(x: string) {
  'use workflow';
  // pawl-ignore PAWL3002 -- it is tried out here
  await fetch(x);
  return fetch(x);
}
`;
    const { client, open } = await shop({ 'src/flow.ts': text });
    const file = await open('src/flow.ts');
    const rule = await hovered(client, file, text, 'PAWL3002');
    expect(rule).toContain('**PAWL3002** io-in-workflow (error): Workflow code does I/O');
    expect(rule).toContain('**Why.**');
    expect(rule).toContain('**Instead:**\n\n```ts');
    expect(await hovered(client, file, text, 'fetch', 2)).toContain(rule);
    expect(await hovered(client, file, text, 'fetch')).toBe('');
  });

  test('plain text for editors without Markdown', async () => {
    const root = temporaryProject({ 'package.json': '{}', 'src/steps.ts': STEPS });
    const client = await startClient({ folders: [root], capabilities: {} });
    const file = join(root, 'src/steps.ts');
    await client.open(file, STEPS);
    const hover = await client.hover(file, positionOf(STEPS, 'use step'));
    expect(hover?.contents).toMatchObject({ kind: 'plaintext', value: expect.not.stringMatching(/[`*]{2}|`/) });
  });
});

describe('from a workflow to its steps', () => {
  test('references', async () => {
    const { client, open, at } = await shop();
    const file = await open('src/fulfil.ts');
    const steps = [at('src/fulfil.ts', 'tell'), at('src/steps.ts', 'reserve'), at('src/steps.ts', 'charge')];
    for (const word of ['use workflow', 'fulfil(']) {
      expect(await client.references(file, positionOf(FULFIL, word))).toEqual(steps);
    }
    const withItself = await client.references(file, positionOf(FULFIL, 'use workflow'), true);
    expect(withItself).toEqual([at('src/fulfil.ts', 'fulfil'), ...steps]);
    expect(await client.references(file, positionOf(FULFIL, 'nothing'))).toEqual([]);
  });

  test('and from a step to its calls, in helpers too', async () => {
    const { client, open, at } = await shop();
    const file = await open('src/steps.ts');
    expect(await client.references(file, positionOf(STEPS, 'use step'))).toEqual([
      at('src/fulfil.ts', 'reserve', 2),
      at('src/helpers.ts', 'reserve', 2),
    ]);
  });

  test('definition of a directive', async () => {
    const { client, open, at } = await shop();
    const file = await open('src/fulfil.ts');
    expect(await client.definition(file, positionOf(FULFIL, 'use workflow'))).toEqual([
      at('src/fulfil.ts', 'tell'),
      at('src/steps.ts', 'charge'),
      at('src/steps.ts', 'reserve'),
    ]);
    // The editor knows better where a name is declared, and would show both.
    expect(await client.definition(file, positionOf(FULFIL, 'reserve', 2))).toEqual([]);
  });

  test('lenses count what is reached, and lead there', async () => {
    const { client, open, at } = await shop();
    const file = await open('src/fulfil.ts');
    const lenses = await client.lenses(file);
    expect(lenses.map(({ range, command }) => [range.start.line, command?.title])).toEqual([
      [3, '3 steps'],
      [5, 'used by 1 workflow'],
      [14, '0 steps'],
    ]);
    const [{ command } = {}] = lenses;
    expect(command?.arguments?.[2]).toEqual([
      at('src/fulfil.ts', 'tell'),
      at('src/steps.ts', 'charge'),
      at('src/steps.ts', 'reserve'),
    ]);
    const shown: string[] = [];
    client.connection.onRequest(
      ShowMessageRequest.type,
      ({ actions }) => actions?.find(({ title }) => title.endsWith('#charge')) ?? null,
    );
    client.connection.onRequest(ShowDocumentRequest.type, ({ uri, selection }) => {
      shown.push(`${uri}:${selection?.start.line}`);
      return { success: true };
    });
    await client.connection.sendRequest(ExecuteCommandRequest.type, {
      command: command?.command ?? '',
      arguments: command?.arguments,
    });
    expect(shown).toEqual([`${at('src/steps.ts', 'charge').uri}:7`]);
    expect((await client.lenses(await open('src/steps.ts'))).map(({ command }) => command?.title)).toEqual([
      'used by 1 workflow',
      'used by 1 workflow',
    ]);
  });

  test('symbols of the workspace', async () => {
    const { client, open, at } = await shop();
    await open('src/fulfil.ts');
    const search = async (query: string) =>
      (await client.connection.sendRequest(WorkspaceSymbolRequest.type, { query })) ?? [];
    expect((await search('')).map(({ containerName }) => containerName)).toEqual([
      'workflow src/fulfil.ts#fulfil',
      'step src/fulfil.ts#fulfil/tell',
      'workflow src/fulfil.ts#nothing',
      'step src/steps.ts#reserve',
      'step src/steps.ts#charge',
    ]);
    expect(await search('chrg')).toMatchObject([{ name: 'charge', location: at('src/steps.ts', 'charge') }]);
  });
});

describe('code actions', () => {
  const BROKEN = `export function charge(amount: number) {
  'use steps';
  return amount;
}

export async function fulfil(sku: string) {
  'use workflow';
  return fetch(sku);
}
`;

  async function broken() {
    const { client, open, root } = await shop({ 'src/broken.ts': BROKEN });
    return { client, root, file: await open('src/broken.ts') };
  }

  test('a fix, and what it leaves is clean', async () => {
    const { client, file } = await broken();
    const [action] = await client.actions(file, rangeOf(BROKEN, 'use steps'));
    expect(action).toMatchObject({ kind: 'quickfix', isPreferred: true, diagnostics: [{ code: 'PAWL1003' }] });
    const fixed = applyEdit(BROKEN, action?.edit ?? {}, file);
    expect(fixed).toContain("'use step';\n");
    expect((await client.edit(file, fixed)).map(({ code }) => code)).toEqual(['PAWL1002', 'PAWL3002']);
  });

  test('a suppression with a reason', async () => {
    const { client, file } = await broken();
    const actions = await client.actions(file, rangeOf(BROKEN, 'fetch'));
    const action = actions.find(({ title }) => title.startsWith('Suppress PAWL3002'));
    const text = applyEdit(BROKEN, action?.edit ?? {}, file);
    expect(text).toContain('  // pawl-ignore PAWL3002 -- reason\n  return fetch(sku);');
    expect((await client.edit(file, text)).map(({ code }) => code)).not.toContain('PAWL3002');
  });

  test('the reason is a blank to fill in where the editor knows snippets', async () => {
    const root = temporaryProject({ 'package.json': '{}', 'src/broken.ts': BROKEN });
    const workspaceEdit = { documentChanges: true, snippetEditSupport: true };
    const client = await startClient({ folders: [root], capabilities: { workspace: { workspaceEdit } } });
    const file = join(root, 'src/broken.ts');
    await client.open(file, BROKEN);
    const actions = await client.actions(file, rangeOf(BROKEN, 'fetch'));
    const edit = actions.find(({ title }) => title.startsWith('Suppress'))?.edit;
    expect(edit?.documentChanges?.[0]).toMatchObject({
      textDocument: { uri: uriOf(file), version: 1 },
      edits: [{ snippet: { kind: 'snippet', value: '  // pawl-ignore PAWL3002 -- ${1:reason}\n' } }],
    });
  });

  test('all fixes of a file, when that is what is asked for', async () => {
    const { client, file } = await broken();
    const everything = { start: { line: 0, character: 0 }, end: { line: 99, character: 0 } };
    for (const only of [['source.fixAll.pawl'], ['source.fixAll'], ['source']]) {
      const [action, ...more] = await client.actions(file, everything, only);
      expect(more).toEqual([]);
      expect(action).toMatchObject({ kind: 'source.fixAll.pawl' });
      expect(applyEdit(BROKEN, action?.edit ?? {}, file)).toContain("'use step';");
    }
    expect(await client.actions(file, everything, ['refactor'])).toEqual([]);
    const kinds = (await client.actions(file, everything)).map(({ kind }) => kind);
    expect(new Set(kinds)).toEqual(new Set(['quickfix']));
  });

  test('plain changes for editors that know nothing else', async () => {
    const root = temporaryProject({ 'package.json': '{}', 'src/broken.ts': BROKEN });
    const client = await startClient({ folders: [root], capabilities: {} });
    const file = join(root, 'src/broken.ts');
    await client.open(file, BROKEN);
    const [action] = await client.actions(file, rangeOf(BROKEN, 'use steps'));
    expect(action?.edit?.changes?.[uriOf(file)]).toHaveLength(1);
    const fixed = applyEdit(BROKEN, action?.edit ?? {}, file);
    const session = createSession({ root, cache: false });
    session.update('src/broken.ts', fixed);
    expect((await session.check()).diagnostics.map(({ code }) => code)).not.toContain('PAWL1003');
  });
});
