#!/usr/bin/env node
/** The program `pawl`: `main` with this process's arguments, terminals and environment. */
import { main } from './main.ts';

// A reader that has seen enough (`pawl runs | head`) is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
}

const { argv, stdout, stderr, env } = process;
const code = await main({ argv: argv.slice(2), stdout, stderr, env, cwd: process.cwd() });
// Pipes are written asynchronously: leave when everything is out.
stdout.write('', () => stderr.write('', () => process.exit(code)));
