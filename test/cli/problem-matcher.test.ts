/** `docs/problem-matcher.json` reads what the program really prints, as VS Code would. */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { CLI, runCli, spawnCli } from '../support/cli.ts';
import { ROOT } from '../support/dist.ts';
import { temporaryProject } from '../support/project.ts';

type Field = 'file' | 'line' | 'column' | 'severity' | 'code' | 'message';
type Pattern = { regexp: string } & { [Name in Field]?: number };
interface Task {
  label: string;
  command: string;
  problemMatcher: {
    pattern: Pattern | Pattern[];
    background?: { beginsPattern: string; endsPattern: string };
  };
}

const { tasks } = JSON.parse(readFileSync(join(ROOT, 'docs/problem-matcher.json'), 'utf8')) as { tasks: Task[] };
const task = (label: string): Task => tasks.find((each) => each.label === label) as Task;
const argvOf = ({ command }: Task): string[] => command.split(' ').slice(2);

const FILES = {
  'src/orders (old)/a b.ts': "export function charge() {\n  'use step';\n}\n",
  'src/b.ts': "'use step';\n\nexport async function refund() {\n  'use step';\n}\n",
  'src/c.ts': "export async function pay() {\n  'use steps';\n}\n",
};

/** Runs of lines that match all patterns, one line each. */
function match(text: string, pattern: Pattern | Pattern[]): Record<string, string>[] {
  const patterns = Array.isArray(pattern) ? pattern : [pattern];
  const lines = stripVTControlCharacters(text).split(/\r?\n/);
  return lines.flatMap((_, at) => {
    const found: Record<string, string> = {};
    for (const [offset, { regexp, ...fields }] of patterns.entries()) {
      const groups = new RegExp(regexp).exec(lines[at + offset] ?? '\0');
      if (!groups) return [];
      for (const [field, group] of Object.entries(fields)) found[field] = groups[group] ?? '';
    }
    return [found];
  });
}

const expected = async (root: string): Promise<Record<string, string>[]> => {
  const { stdout } = await runCli(['check', '--json'], { cwd: root });
  const findings = JSON.parse(stdout) as {
    file: string;
    line: number;
    column: number;
    severity: string;
    code: string;
  }[];
  expect(findings.length).toBe(3);
  return findings.map(({ file, line, column, severity, code }) => ({
    file,
    line: String(line),
    column: String(column),
    severity,
    code,
    message: expect.stringMatching(/^[A-Z'].+\.$/) as unknown as string,
  }));
};

test('every finding of `--format tsc`, and nothing else', async () => {
  const root = temporaryProject(FILES);
  const { command, problemMatcher } = task('pawl check');
  expect(command).toMatch(/^npx pawl check /);
  const { stdout, stderr } = await spawnCli(argvOf(task('pawl check')), { cwd: root });
  expect(match(stdout + stderr, problemMatcher.pattern)).toEqual(await expected(root));
});

test.each(['0', '1'])('every finding of `--format pretty`, and nothing else (FORCE_COLOR=%s)', async (color) => {
  const root = temporaryProject(FILES);
  const { problemMatcher } = task('pawl check --watch');
  const env = { NO_COLOR: '', FORCE_COLOR: color };
  const { stdout } = await runCli(['check', '--format', 'pretty'], { cwd: root, env });
  expect(stdout.includes('\u001b[')).toBe(color === '1');
  expect(match(stdout, problemMatcher.pattern)).toEqual(await expected(root));
});

test('the watched task says when a check begins and ends', async () => {
  const root = temporaryProject(FILES);
  const { command, problemMatcher } = task('pawl check --watch');
  const { beginsPattern, endsPattern } = problemMatcher.background as { beginsPattern: string; endsPattern: string };
  const child = spawn(process.execPath, [CLI, ...argvOf({ command } as Task)], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1' },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  let wake = (): void => {};
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      wake();
    });
  }
  const until = (pattern: string): Promise<void> =>
    new Promise((resolve) => {
      wake = () => new RegExp(pattern, 'm').test(text) && resolve();
      wake();
    });
  await until(endsPattern);
  expect(match(text, problemMatcher.pattern)).toHaveLength(3);
  expect(text).not.toMatch(new RegExp(beginsPattern, 'm'));
  text = '';
  writeFileSync(join(root, 'src/c.ts'), "export async function pay() {\n  'use step';\n}\n");
  await until(endsPattern);
  const [before = '', after = ''] = text.split(new RegExp(beginsPattern, 'm'));
  expect(before).toBe('');
  expect(match(after, problemMatcher.pattern)).toHaveLength(2);
});
