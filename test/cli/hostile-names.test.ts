/** Names and texts of a project are data in every format: what a terminal would obey is written out, programs get it as it is. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { visible as note } from '../../src/cli/visible.ts';
import { visible as finding } from '../../src/diagnostics/format/text.ts';
import { runCli, spawnCli } from '../support/cli.ts';
import { temporaryProject } from '../support/project.ts';

const CONTROL = '\u001b[2J\u0007\u009b1m\u200f\u202e';
const FILE = `src/odd${CONTROL}\n.ts`;
const PACKAGE = `./gone${CONTROL}.ts`;
const TEXT = `import '${PACKAGE}';
// ${CONTROL}
export async function odd() {
  'use workflow';
  await fetch('${CONTROL}');
}
`;

function project(files: Record<string, string> = {}): string {
  const root = temporaryProject(files);
  mkdirSync(join(root, 'src'), { recursive: true });
  writeFileSync(join(root, FILE), TEXT);
  return root;
}

/** What a terminal obeys, colours of ours apart; line feeds and tabs are harmless. */
function obeyed(text: string): string[] {
  // oxlint-disable-next-line no-control-regex
  const uncolored = text.replace(/\u001b\[[\d;]*m/g, '');
  // oxlint-disable-next-line no-control-regex
  return (
    uncolored.match(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g) ?? []
  );
}

describe('for people', () => {
  test.each(['pretty', 'tsc', 'github'])('%s', async (format) => {
    const root = project();
    const plain = await spawnCli(['check', '--no-types', '--format', format], { cwd: root });
    expect(plain.code).toBe(1);
    // oxlint-disable-next-line no-control-regex
    expect(plain.stdout).not.toMatch(/\u001b/);
    const painted = await runCli(['check', '--no-types', '--format', format], {
      cwd: root,
      isTTY: true,
      env: { FORCE_COLOR: '1' },
    });
    for (const { stdout, stderr } of [plain, painted]) {
      expect(obeyed(stdout + stderr)).toEqual([]);
      expect(stdout.match(/PAWL\d{4}/g)).toEqual(['PAWL9006', 'PAWL3002']);
      expect(stdout).toContain('src/odd\\u{1b}[2J\\u{7}\\u{9b}1m\\u{200f}\\u{202e}');
      expect(stdout).toContain('gone\\u{1b}[2J\\u{7}\\u{9b}1m\\u{200f}\\u{202e}.ts');
    }
  });

  test('the code frame shows it, and underlines what is meant', async () => {
    const { stdout } = await spawnCli(['check', '--no-types', '--format', 'pretty'], { cwd: project() });
    expect(stdout).toContain(
      "  > 5 |   await fetch('\\u{1b}[2J\\u{7}\\u{9b}1m\\u{200f}\\u{202e}');\n      |         ^^^^^\n",
    );
  });

  test.each([
    ['a file that is not there', ['check', `src/none${CONTROL}.ts`]],
    ['a root that is not there', ['check', '--root', `none${CONTROL}`]],
    ['an option that is not there', ['check', `--none${CONTROL}`]],
    ['a format that is not there', ['check', '--format', CONTROL]],
    ['a manifest that is not there', ['check', '--compat', CONTROL]],
  ])('%s', async (_name, argv) => {
    const { stdout, stderr } = await runCli(argv, { cwd: temporaryProject({ 'src/a.ts': 'export {};\n' }) });
    expect(stderr).toContain('\\u001b[2J');
    expect(obeyed(stdout + stderr)).toEqual([]);
  });

  test('a file without anything to check, and one that was repaired', async () => {
    const root = temporaryProject({
      [`src/${CONTROL}.ts`]: 'export {};\n',
      'src/a.ts': "export async function a() { 'use step'; }\n",
    });
    const idle = await runCli(['check', '--no-types', `src/${CONTROL}.ts`], { cwd: root });
    expect(idle.stderr).toContain('there is no step and no workflow in src/\\u001b[2J');
    expect(obeyed(idle.stderr)).toEqual([]);
    writeFileSync(join(root, `src/${CONTROL}.ts`), "export function b() { 'use step'; }\n");
    const repaired = await runCli(['check', '--no-types', '--fix'], { cwd: root });
    expect(repaired.stderr).toContain('fixed 1 finding in src/\\u001b[2J');
    expect(obeyed(repaired.stderr)).toEqual([]);
  });

  test('a configuration', async () => {
    const root = temporaryProject({
      'src/a.ts': TEXT,
      'pawl.config.json': JSON.stringify({ rules: { [`io${CONTROL}`]: 'off' }, [`out${CONTROL}`]: 1 }),
    });
    for (const format of ['pretty', 'tsc', 'github']) {
      const { stdout, stderr } = await runCli(['check', '--no-types', '--format', format], { cwd: root });
      expect(stdout).toContain('PAWL9005');
      expect(obeyed(stdout + stderr)).toEqual([]);
    }
  });
});

test('formats and notes write out the same characters', () => {
  const all = Array.from({ length: 0x3000 }, (_, code) => String.fromCharCode(code));
  expect(all.filter((each) => note(each) !== each)).toEqual(all.filter((each) => finding(each) !== each));
});

describe('for programs', () => {
  test('json has the names as they are', async () => {
    const { stdout } = await spawnCli(['check', '--no-types', '--format', 'json'], { cwd: project() });
    const findings = JSON.parse(stdout) as { file: string; message: string }[];
    expect(findings.map(({ file }) => file)).toEqual([FILE, FILE]);
    expect(findings[0]?.message).toContain(`\`${PACKAGE}\` does not resolve`);
    expect(obeyed(stdout).filter((character) => character < ' ')).toEqual([]);
  });

  test('sarif has the names as they are, the path as a URI', async () => {
    const { stdout } = await spawnCli(['check', '--no-types', '--format', 'sarif'], { cwd: project() });
    const { runs } = JSON.parse(stdout) as {
      runs: {
        results: {
          message: { text: string };
          locations: { physicalLocation: { artifactLocation: { uri: string } } }[];
        }[];
      }[];
    };
    const results = runs[0]?.results ?? [];
    expect(results.map(({ locations }) => locations[0]?.physicalLocation.artifactLocation.uri)).toEqual(
      results.map(() => FILE.split('/').map(encodeURIComponent).join('/')),
    );
    expect(results[0]?.message.text).toContain(`\`${PACKAGE}\` does not resolve`);
  });
});
