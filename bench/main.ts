import { benchCompile } from './compile.ts';
import { benchCheck } from './check.ts';
import { benchEditor } from './editor.ts';
import { benchCompilePeers, installPeers } from './peers.ts';
import { benchRebuild } from './rebuild.ts';
import { print } from './report.ts';
import { benchPeers } from './runtimes.ts';
import { benchPostgres } from './postgres.ts';
import { benchRun } from './run.ts';
import { benchShapes } from './shapes.ts';

/**
 * `compile`, `check`, `editor`, `rebuild`, `run`, `shapes`, `postgres`, or nothing for all of these. `--peers` adds the peers' compiler to
 * `compile`, and the section `peers`: their runtimes (`peers dbos restate` for a choice).
 */
const words = process.argv.slice(2).filter((word) => !word.startsWith('-'));
const wants = (section: string) => words.length === 0 || words.includes(section);
const peers = process.argv.includes('--peers') || words.includes('peers');
if (peers) installPeers();

if (wants('compile')) {
  print('Compile', benchCompile());
  if (peers) print('Compile, against the Workflow SDK', await benchCompilePeers());
}
if (wants('check')) print('Check', await benchCheck());
if (wants('editor')) print('Editor', await benchEditor());
if (wants('rebuild')) print('Rebuild', await benchRebuild());
if (wants('run')) print('Run', await benchRun());
if (wants('shapes')) print('Run, other shapes', await benchShapes());
if (wants('postgres')) print('Run, on PostgreSQL', await benchPostgres());
if (peers && wants('peers')) await benchPeers(words, print);
