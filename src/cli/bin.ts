#!/usr/bin/env node
/** The program `pawl`: `main` with this process's arguments, terminals and environment. */
import module from 'node:module';
import { main } from './main.ts';
import { Output, printError, type Sink, unwritable } from './output.ts';

// From Node 22.8: what is loaded from here on (TypeScript, the bundler) is compiled once, not at each start. Kept in the
// system's folder for temporary files; NODE_DISABLE_COMPILE_CACHE=1 turns it off.
(module as { enableCompileCache?: () => void }).enableCompileCache?.();

const { argv, stdout, stderr, env } = process;

/** What these do matters more than what they print: a run is not left because its reader went away. */
const CHANGES = new Set(['run', 'build', 'cancel', 'resume', 'wake', 'upgrade', 'worker', 'dev', '--watch', '--fix']);
const words = argv.slice(2);
const works = words.some((word) => CHANGES.has(word));

let unwritten = false;

/** What was printed did not arrive: said once. What stderr does not take, nobody can be told. */
function lost(stream: NodeJS.WriteStream, error: Error): void {
  if (unwritten || stream === stderr) return;
  unwritten = true;
  const out = new Output({ stdout, stderr, env, json: words.includes('--json') });
  printError(unwritable(error, words.includes('run')), out);
}

for (const stream of [stdout, stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') {
      lost(stream, error);
      return;
    }
    // A reader that has seen enough (`pawl runs | head`) is no error.
    if (!works) process.exit(0);
    stream.write = (...written: unknown[]): boolean => {
      const done = written.at(-1);
      if (typeof done === 'function') queueMicrotask(() => done());
      return true;
    };
  });
}

function workingDirectory(): string | null {
  try {
    return process.cwd();
  } catch {
    return null;
  }
}

/** Each write tells how it went, in order: the last one has seen all errors. */
const told: Sink = {
  write: (text) =>
    stdout.write(text, (error) => {
      if (error && (error as NodeJS.ErrnoException).code !== 'EPIPE') lost(stdout, error);
    }),
  isTTY: stdout.isTTY,
  get columns() {
    return stdout.columns;
  },
};

const code = await main({ argv: words, stdout: told, stderr, env, cwd: workingDirectory() });
// Pipes are written asynchronously: leave when everything is out. In between the program must not get another turn.
stdout.write('', () => stderr.write('', () => process.exit(unwritten && code < 2 ? 2 : code)));
