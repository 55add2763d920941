/** What the README shows for CI systems and configurations works. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCli } from '../support/cli.ts';
import { ROOT } from '../support/dist.ts';
import { temporaryProject } from '../support/project.ts';

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** The text from one heading to the next. */
function section(heading: string): string {
  const text = readme.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0];
  if (!text) throw new Error(`The README has no "${heading}".`);
  return text;
}

const BROKEN = `export function charge() {\n  'use step';\n}\n`;
const commands = [...section('In CI').matchAll(/npx pawl (check [^\n`>]+?)(?: > (\S+?))?(?:`|$)/gm)].map(
  ([, command = '', file]) => [command.trim(), file] as const,
);

describe('commands', () => {
  test('there are some, for each format', () => {
    const formats = commands.map(([command]) => /--format (\w+)/.exec(command)?.[1]);
    expect(formats.sort()).toEqual(['github', 'gitlab', 'junit', 'sarif']);
  });

  test.each(commands)('pawl %s', async (command) => {
    const root = temporaryProject({ 'src/a.ts': BROKEN });
    const { code, stdout, stderr } = await runCli(command.split(' '), { cwd: root });
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toContain('PAWL1002');
  });

  test.each(commands.filter(([, file]) => file))(
    'what pawl %s writes is what the next step reads: %s',
    (_command, file) => {
      if (file === 'pawl.xml') return expect(section('In CI')).not.toMatch(/junit:/);
      expect(section('In CI')).toMatch(new RegExp(`(?:sarif_file|codequality): ${file}\\b`));
    },
  );
});

test('every option of `pawl check` that the README names exists', async () => {
  const { stdout } = await runCli(['check', '--help'], { cwd: '/' });
  const named = [...section('Rules').matchAll(/`(--[\w-]+)/g)].map(([, option = '']) => option);
  expect(named.length).toBeGreaterThan(3);
  for (const option of named) expect(stdout).toContain(option);
});

test('the configuration is accepted', async () => {
  const [, config = ''] = /```ts\n([^]*?)```/.exec(section('Configuration')) ?? [];
  const root = temporaryProject({
    'node_modules/@ai-sdk/openai/package.json': JSON.stringify({
      name: '@ai-sdk/openai',
      type: 'module',
      exports: './index.js',
    }),
    'node_modules/@ai-sdk/openai/index.js': 'export const openai = () => {};',
    'pawl.config.ts': config,
    'src/a.ts': BROKEN.replace('function', 'async function'),
  });
  expect(await runCli(['check'], { cwd: root })).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(section('Configuration')).toContain('"$schema": "./node_modules/pawl/docs/pawl.config.schema.json"');
});
