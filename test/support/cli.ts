/** Runs command lines: in this process from the sources, or in a process of their own from dist/. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { main } from '../../src/cli/main.ts';
import { ROOT } from './dist.ts';

export interface CliResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface CliOptions {
  cwd: string;
  env?: Record<string, string>;
  /** What stderr and stdout claim to be. */
  isTTY?: boolean;
  commands?: Parameters<typeof main>[0]['commands'];
}

/** Runs a command line in this process. */
export async function runCli(
  argv: readonly string[],
  { cwd, env = {}, isTTY = false, commands }: CliOptions,
): Promise<CliResult> {
  const sink = () => {
    const parts: string[] = [];
    return { write: (text: string) => parts.push(text), isTTY, columns: 100, text: () => parts.join('') };
  };
  const [stdout, stderr] = [sink(), sink()];
  const code = await main({ argv, stdout, stderr, env, cwd, commands });
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

export const CLI = join(ROOT, 'dist', 'cli.js');

/** Runs a command line in a process of its own. */
export function spawnCli(argv: readonly string[], { cwd, env = {} }: CliOptions): Promise<CliResult> {
  return new Promise((resolve) => {
    const options = { cwd, env: { ...process.env, NO_COLOR: '1', ...env }, maxBuffer: 2 ** 26 };
    execFile(process.execPath, [CLI, ...argv], options, (error, stdout, stderr) => {
      const code = error ? Number(error.code ?? -1) : 0;
      resolve({ code, stdout, stderr });
    });
  });
}
