import { benchCompile } from './compile.ts';
import { benchCheck } from './check.ts';
import { benchEditor } from './editor.ts';
import { benchCompilePeers, installPeers } from './peers.ts';
import { benchRebuild } from './rebuild.ts';
import { print } from './report.ts';
import { benchRun } from './run.ts';

/** `compile`, `check`, `editor`, `rebuild`, `run` or nothing for all; `--peers` adds the peers. */
const words = process.argv.slice(2).filter((word) => !word.startsWith('-'));
const wants = (section: string) => words.length === 0 || words.includes(section);
const peers = process.argv.includes('--peers');
if (peers) installPeers();

if (wants('compile')) {
  print('Compile', benchCompile());
  if (peers) print('Compile, against the Workflow SDK', await benchCompilePeers());
}
if (wants('check')) print('Check', await benchCheck());
if (wants('editor')) print('Editor', await benchEditor());
if (wants('rebuild')) print('Rebuild', await benchRebuild());
if (wants('run')) print('Run', await benchRun());
