/** `docs/migrating.md` says what is so: entries, names, codes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DurableAgent } from '../../src/agents/agent-entry.ts';
import { defineAgent } from '../../src/agents/define-agent.ts';
import { DEFAULT_MAX_STEPS } from '../../src/agents/loop/loop.ts';
import { Run } from '../../src/runtime/run-handle.ts';
import { COMPAT_SDKS, compatEntry, COMPAT_EXTRAS, unservedName } from '../../src/sdk-names.ts';
import { WORKFLOW_API } from '../../src/manifest/index.ts';
import { ROOT } from '../support/dist.ts';

const page = readFileSync(join(ROOT, 'docs/migrating.md'), 'utf8');
const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  exports: Record<string, unknown>;
};

/** `| import | leads to | names |` */
const rows = [...page.matchAll(/^\| `([@\w/-]+)` \| `(pawl[\w/-]*)` \| (`.*`) \|$/gm)].map(
  ([, name = '', entry = '', names = '']) => ({
    name,
    entry,
    names: [...names.matchAll(/`(\w+)`/g)].map((match) => match[1]),
  }),
);

const named = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, name]) => name as string);

function section(title: string, part: string): string {
  const [, rest = ''] = page.split(`\n## ${title}\n`);
  const [, text = ''] = rest.split(`\n**${part}**`);
  return text.split(/\n(?:##|\*\*)/)[0] ?? '';
}

test('all import names are on the page', () => {
  const known = ['workflow', '@workflow/ai/agent', '@workflow/serde', 'workflow/api'];
  for (const part of ['action', 'workflow', 'agent', 'credential', 'credentials'])
    known.push(`@keystrokehq/keystroke/${part}`);
  expect(rows.map(({ name }) => name).sort()).toEqual(known.sort());
});

test.each(rows)('$name leads to $entry, which has its names', async ({ name, entry, names }) => {
  expect(compatEntry(name, COMPAT_SDKS)).toBe(entry);
  expect(Object.keys(exports)).toContain(entry.replace('pawl', '.'));
  const own = Object.keys((await import(/* @vite-ignore */ entry)) as object);
  expect(names.filter((each) => !own.includes(each as string))).toEqual([]);
  // Bundles have what the entry has.
  const extras = COMPAT_EXTRAS[entry];
  if (extras) for (const each of extras.names) expect(own).toContain(each);
  if (entry === 'pawl') for (const each of names) expect(WORKFLOW_API).toContain(each);
});

test('what a run has', () => {
  const [, text = ''] = /arguments;\n(.*?) of a run;/s.exec(section('Workflow SDK', 'The same')) ?? [];
  const own = [...Object.getOwnPropertyNames(Run.prototype), 'runId', 'getTailIndex'];
  expect(named(text).length).toBeGreaterThan(10);
  expect(named(text).filter((name) => !own.includes(name))).toEqual([]);
});

test('what is missing is missing', () => {
  const missing = named(section('Workflow SDK', 'Missing')).filter((name) => /^@?workflow\//.test(name));
  expect(missing.length).toBeGreaterThan(5);
  for (const name of missing) expect([name, unservedName(name)]).toEqual([name, expect.anything()]);
  for (const name of ['trigger', 'sandbox', 'app', 'mcp'])
    expect(unservedName(`@keystrokehq/keystroke/${name}`)).not.toBeNull();
});

test('numbers and codes', () => {
  expect(page).toContain(`stops after ${DEFAULT_MAX_STEPS} model calls`);
  const texts = ['src/runtime/realm/main.ts', 'src/agents/loop/loop.ts', 'src/agents/define-agent.ts'];
  const thrown = texts.map((file) => readFileSync(join(ROOT, file), 'utf8')).join('\n');
  for (const [code] of page.matchAll(/PAWL_\w+/g)) expect(thrown).toContain(`'${code}'`);
});

test('settings of agents that would be missed are refused by name', async () => {
  const message = 'Leave it out; docs/migrating.md has what stands in its place.';
  const refused = { message: expect.stringContaining('`skills`, which pawl does not do'), remedy: message };
  const clerk = { slug: 'clerk', systemPrompt: 'Sort letters.', model: 'a/b' };
  expect(() => defineAgent({ ...clerk, skills: ['sorting'] } as typeof clerk)).toThrow(
    expect.objectContaining({ code: 'PAWL_DEFINITION', ...refused }),
  );
  expect(defineAgent({ ...clerk, memory: false } as typeof clerk).slug).toBe('clerk');
  const agent = new DurableAgent({ model: {} });
  for (const name of ['collectUIMessages', 'experimental_transform', 'experimental_download', 'includeRawChunks']) {
    await expect(agent.stream({ prompt: 'x', [name]: true })).rejects.toMatchObject({
      code: 'PAWL_AGENT_SETTING',
      message: expect.stringContaining(`\`${name}\``),
    });
    expect(page).toContain(`\`${name}\``);
  }
});
