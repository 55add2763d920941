import { benchCompile } from './compile.ts';
import { benchCompilePeers, installPeers } from './peers.ts';
import { print } from './report.ts';

const peers = process.argv.includes('--peers');
if (peers) installPeers();

print('Compile', benchCompile());
if (peers) print('Compile, against the Workflow SDK', await benchCompilePeers());
