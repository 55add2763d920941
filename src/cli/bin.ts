#!/usr/bin/env node
/** The program `pawl`: `main` with this process's arguments, terminals and environment. */
import module from 'node:module';
import { main } from './main.ts';

// From Node 22.8: what is loaded from here on (TypeScript, the bundler) is compiled once, not at each start. Kept in the
// system's folder for temporary files; NODE_DISABLE_COMPILE_CACHE=1 turns it off.
(module as { enableCompileCache?: () => void }).enableCompileCache?.();

const { argv, stdout, stderr, env } = process;

/** What these do matters more than what they print: a run is not left because its reader went away. */
const CHANGES = new Set(['run', 'build', 'cancel', '--watch', '--fix']);
const works = argv.slice(2).some((word) => CHANGES.has(word));

// A reader that has seen enough (`pawl runs | head`) is no error.
for (const stream of [stdout, stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (!works) process.exit(0);
    stream.write = (...written: unknown[]): boolean => {
      const done = written.at(-1);
      if (typeof done === 'function') queueMicrotask(() => done());
      return true;
    };
  });
}

const code = await main({ argv: argv.slice(2), stdout, stderr, env, cwd: process.cwd() });
// Pipes are written asynchronously: leave when everything is out.
stdout.write('', () => stderr.write('', () => process.exit(code)));
