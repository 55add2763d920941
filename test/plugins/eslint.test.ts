/** The real linters, each in a process of its own, find what `pawl check` finds. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { spawnCli } from '../support/cli.ts';
import { ROOT } from '../support/dist.ts';
import { temporaryProject } from '../support/project.ts';

interface Finding {
  file: string;
  line: number;
  column: number;
  rule: string;
  level: string;
  message: string;
}

interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

interface Linter {
  name: string;
  run(cwd: string, argv: readonly string[], stdin?: string): Promise<Ran>;
  /** @throws when the linter says anything besides */
  findings(cwd: string, argv?: readonly string[], stdin?: string): Promise<{ findings: Finding[]; code: number }>;
}

// Each linter starts a process that loads a parser, and TypeScript; several at once on a busy machine take their time.
vi.setConfig({ testTimeout: 120_000 });

function spawnTool(file: string, argv: readonly string[], cwd: string, stdin?: string): Promise<Ran> {
  return new Promise((resolve) => {
    const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined };
    const child = execFile(
      process.execPath,
      [join(ROOT, 'node_modules', file), ...argv],
      { cwd, env },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
    );
    child.stdin?.end(stdin ?? '');
  });
}

interface EslintMessage {
  ruleId: string | null;
  severity: number;
  message: string;
  line: number;
  column: number;
}

const eslint = (name: string, folder: string): Linter => ({
  name,
  run: (cwd, argv, stdin) => spawnTool(`${folder}/bin/eslint.js`, argv, cwd, stdin),
  async findings(cwd, argv = ['src'], stdin) {
    const { code, stdout, stderr } = await this.run(cwd, ['--format', 'json', ...argv], stdin);
    expect(stderr).toBe('');
    const files = JSON.parse(stdout) as { filePath: string; messages: EslintMessage[] }[];
    const findings = files.flatMap(({ filePath, messages }) =>
      messages.map(({ ruleId, severity, message, line, column }) => ({
        file: filePath.slice(cwd.length + 1),
        line,
        column,
        rule: ruleId?.replace(/^pawl\//, '') ?? '',
        level: severity === 2 ? 'error' : 'warning',
        message,
      })),
    );
    return { findings, code };
  },
});

interface OxlintDiagnostic {
  message: string;
  code: string;
  severity: string;
  filename: string;
  labels: { span: { line: number; column: number } }[];
}

const oxlint: Linter = {
  name: 'oxlint',
  run: (cwd, argv, stdin) => spawnTool('oxlint/bin/oxlint', argv, cwd, stdin),
  async findings(cwd, argv = ['src']) {
    const { code: exitCode, stdout, stderr } = await this.run(cwd, ['--format', 'json', ...argv]);
    expect(stderr).toBe('');
    const { diagnostics } = JSON.parse(stdout) as { diagnostics: OxlintDiagnostic[] };
    const findings = diagnostics.map(({ message, code, severity, filename, labels: [label] }) => {
      const { line, column } = label?.span ?? { line: 0, column: 0 };
      const text = readFileSync(join(cwd, filename), 'utf8').split(/\r?\n/)[line - 1] ?? '';
      return {
        file: filename,
        line,
        column: unitColumn(text, column),
        rule: code.replace(/^pawl\((.*)\)$/, '$1'),
        level: severity,
        message,
      };
    });
    return { findings, code: exitCode };
  },
};

/** oxlint prints columns in bytes of UTF-8; editors and everybody else here count UTF-16 units. */
function unitColumn(line: string, column: number): number {
  return (
    Buffer.from(line)
      .subarray(0, column - 1)
      .toString().length + 1
  );
}

const ESLINTS = [eslint('ESLint 9', 'eslint-9'), eslint('ESLint 10', 'eslint')];
const LINTERS = [...ESLINTS, oxlint];

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8').split('\n## ESLint\n')[1] ?? '';
const snippet = (language: string): string => new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(readme)?.[1] ?? '';

/** The configurations that the README shows; oxlint's own rules have no say. */
const CONFIGS = {
  'package.json': '{ "type": "module" }',
  'eslint.config.js': snippet('js'),
  '.oxlintrc.json': JSON.stringify({ ...JSON.parse(snippet('json')), categories: { correctness: 'off' } }),
};

/** The same where types have no say, so that TypeScript need not be loaded. */
const WITHOUT_TYPES = {
  'eslint.config.js': CONFIGS['eslint.config.js'].replace(
    'pawl.configs.recommended,',
    'pawl.configs.recommended, { settings: { pawl: { types: false } } },',
  ),
  '.oxlintrc.json': JSON.stringify({
    ...(JSON.parse(CONFIGS['.oxlintrc.json']) as object),
    settings: { pawl: { types: false } },
  }),
};

/** Errors and warnings, within a file and across files, in JavaScript and TypeScript, with what shifts columns and lines. */
const SOURCES = {
  'src/orders.js': `import { priceOf } from './pricing.js';

export async function fulfil(sku) {
  'use workflow';
  const name = '日本語 👩‍💻'; const price = await priceOf(sku, name);
  return price;
}

export function charge(amount) {
  'use step';
  return amount;
}
`,
  'src/pricing.js': `export async function priceOf(sku) {
  return (await fetch('https://prices.example/' + sku)).json();
}
`,
  'src/typed.ts': `import { priceOf } from './pricing.js';

interface Order {
  sku: string;
}

export async function quote(order: Order): Promise<number> {
  'use workflow';
  return (await priceOf(order.sku)) as number;
}
`,
  'src/warned.js': `'use step';\r\n\r\nexport async function save(order) {\r\n\t'use step';\r\n\treturn order;\r\n}\r\n`,
  'src/marked.js': `\ufeffexport async function load(id) {\n  'use steps';\n  return id;\n}\n`,
  'src/silenced.js': `import { priceOf } from './pricing.js';

export async function old(sku) {
  'use workflow';
  // pawl-ignore PAWL3002 -- goes away with the shop
  return priceOf(sku);
}

// pawl-ignore PAWL1004 -- nothing is here
export const limit = 5;
`,
  'src/legacy/old.js': `export async function veryOld(sku) {\n  'use workflow';\n  return fetch(sku);\n}\n`,
  'src/orders.test.js': `export function fake() {\n  'use step';\n}\n`,
  'src/plain.js': 'export const answer = 42;\n',
  'pawl.config.ts': `import { defineConfig } from 'pawl/config';
const levels = { off: 'off' } as const;
export default defineConfig({ overrides: [{ files: 'src/legacy/**', rules: { PAWL3002: levels.off } }] });
`,
};

function project(files: Record<string, string>): string {
  const root = temporaryProject({ ...CONFIGS, ...files });
  mkdirSync(join(root, 'node_modules/@typescript-eslint'), { recursive: true });
  // What the published package has: linters must not wander into the sources.
  mkdirSync(join(root, 'node_modules/pawl'));
  for (const name of ['package.json', 'dist', 'docs'])
    symlinkSync(join(ROOT, name), join(root, 'node_modules/pawl', name));
  symlinkSync(
    join(ROOT, 'node_modules/@typescript-eslint/parser'),
    join(root, 'node_modules/@typescript-eslint/parser'),
  );
  return root;
}

/** What the program itself says of the sources, and makes of them with `--fix`; asked once. */
async function checked(fix: boolean): Promise<{ findings: Finding[]; files: Record<string, string> }> {
  const root = project(SOURCES);
  const { stdout } = await spawnCli(['check', '--json', ...(fix ? ['--fix'] : [])], { cwd: root });
  const findings = JSON.parse(stdout) as (Omit<Finding, 'level'> & { severity: string })[];
  return {
    findings: findings.map(({ file, line, column, rule, severity, message }) => ({
      file,
      line,
      column,
      rule,
      level: severity,
      message,
    })),
    files: textsOf(root),
  };
}

const asked = new Map<boolean, ReturnType<typeof checked>>();

function expectation(fix: boolean): ReturnType<typeof checked> {
  const answer = asked.get(fix) ?? checked(fix);
  asked.set(fix, answer);
  return answer;
}

function textsOf(root: string): Record<string, string> {
  return Object.fromEntries(Object.keys(SOURCES).map((file) => [file, readFileSync(join(root, file), 'utf8')]));
}

function sorted(findings: readonly Finding[]): Finding[] {
  const key = ({ file, line, column, rule }: Finding): string =>
    `${file} ${String(line).padStart(9)} ${column} ${rule}`;
  return findings.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

describe.each(LINTERS.map((linter) => [linter.name, linter] as const))('%s', (_name, linter) => {
  test('finds what `pawl check` finds, at the same places', async () => {
    const { findings: expected } = await expectation(false);
    expect(expected.map(({ file, rule }) => `${file} ${rule}`)).toEqual([
      'src/marked.js directive-misspelled',
      'src/orders.js io-in-workflow',
      'src/orders.js directive-not-async',
      'src/silenced.js unused-suppression',
      'src/typed.ts io-in-workflow',
      'src/warned.js duplicate-directive',
    ]);
    const { findings, code } = await linter.findings(project(SOURCES));
    expect(sorted(findings)).toEqual(sorted(expected));
    expect(code).toBe(1);
  });

  test('its fixes give what those of `pawl check --fix` give', async () => {
    const { findings: left, files } = await expectation(true);
    const root = project({ ...SOURCES, ...WITHOUT_TYPES });
    const { findings } = await linter.findings(root, ['--fix', 'src']);
    expect(textsOf(root)).toEqual(files);
    expect(files['src/marked.js']).toBe(`\ufeffexport async function load(id) {\n  'use step';\n  return id;\n}\n`);
    expect(sorted(findings)).toEqual(sorted(left));
  });

  test('says once why nothing was checked, without a stack trace', async () => {
    const root = project({
      ...WITHOUT_TYPES,
      'src/a.js': SOURCES['src/warned.js'],
      'src/b.js': 'export const b = 1;\n',
      'pawl.config.ts': 'export default {',
    });
    const { findings } = await linter.findings(root);
    expect(findings).toEqual([
      {
        file: 'src/a.js',
        line: 1,
        column: 1,
        rule: expect.any(String),
        level: 'error',
        message: expect.stringMatching(
          /^Nothing was checked\. PAWL9005 at pawl\.config\.ts:1:\d+: The configuration could not be loaded: .+\.$/,
        ),
      },
    ]);
  });

  test('takes options of rules, by file', async () => {
    const rules = (packageDepth: number) => ({ 'pawl/io-in-workflow': ['error', { packageDepth }] });
    const workflow = `import { load } from 'fetcher';\n\nexport async function through(url) {\n  'use workflow';\n  return load(url);\n}\n`;
    const root = project({
      'eslint.config.js': `import pawl from 'pawl/eslint';
export default [
  { plugins: { pawl }, settings: { pawl: { types: false } }, rules: ${JSON.stringify(rules(0))} },
  { files: ['src/deep/**'], rules: ${JSON.stringify(rules(1))} },
];`,
      '.oxlintrc.json': JSON.stringify({
        jsPlugins: ['pawl/eslint'],
        categories: { correctness: 'off' },
        settings: { pawl: { types: false } },
        rules: rules(0),
        overrides: [{ files: ['src/deep/**'], rules: rules(1) }],
      }),
      'node_modules/fetcher/package.json':
        '{ "name": "fetcher", "version": "1.0.0", "type": "module", "main": "index.js" }',
      'node_modules/fetcher/index.js': 'export const load = (url) => fetch(url);\n',
      'src/flat.js': workflow,
      'src/deep/deep.js': workflow.replace('through', 'deeply'),
    });
    const { findings } = await linter.findings(root);
    expect(findings.map(({ file, rule }) => `${file} ${rule}`)).toEqual(['src/deep/deep.js io-in-workflow']);
  });
});

describe.each(ESLINTS.map((linter) => [linter.name, linter] as const))('%s', (_name, linter) => {
  test('looks at the text that it is handed, which is not the one on disk', async () => {
    const root = project({ ...SOURCES, ...WITHOUT_TYPES });
    const text = `\n\n${SOURCES['src/orders.js'].replace('export function charge', 'export async function charge')}`;
    const { findings } = await linter.findings(root, ['--stdin', '--stdin-filename', 'src/orders.js'], text);
    expect(findings.map(({ file, line, column, rule }) => ({ file, line, column, rule }))).toEqual([
      { file: 'src/orders.js', line: 7, column: 49, rule: 'io-in-workflow' },
    ]);
  });

  test('refuses options that do not exist', async () => {
    const root = project({
      'src/a.js': 'export {};\n',
      'eslint.config.js': `import pawl from 'pawl/eslint';
export default [{ plugins: { pawl }, rules: { 'pawl/io-in-workflow': ['error', { packageDept: 1 }] } }];`,
    });
    const { code, stderr } = await linter.run(root, ['src']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/packageDept/);
  });

  test('knows every rule, and strict has them all', async () => {
    const root = project({
      'src/a.js': 'export {};\n',
      'eslint.config.js': `import pawl from 'pawl/eslint';\nexport default [pawl.configs.strict];\n`,
    });
    const { stdout } = await linter.run(root, ['--print-config', 'src/a.js']);
    const { rules } = JSON.parse(stdout) as { rules: Record<string, unknown> };
    const { stdout: listed } = await spawnCli(['explain', '--json'], { cwd: root });
    const names = (JSON.parse(listed) as { name: string }[]).map(({ name }) => `pawl/${name}`);
    expect(Object.keys(rules).sort()).toEqual(names.sort());
  });
});
