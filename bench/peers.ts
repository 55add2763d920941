import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { compile } from 'pawl/compiler';
import { corpus } from './corpus.ts';
import { median, type Row } from './report.ts';

const FOLDER = fileURLToPath(new URL('./peers/', import.meta.url));

/** The Workflow SDK's compiler: SWC with a wasm plugin, one call for each output. */
type Transform = (
  file: string,
  source: string,
  mode: 'workflow' | 'step' | 'client',
  absolute?: string,
  root?: string,
) => Promise<{ code: string }>;

/** Installs the peers into `bench/peers` once; they are no part of the project's own installation. */
export function installPeers(): void {
  if (existsSync(`${FOLDER}node_modules/@workflow/builders`)) return;
  console.error('installing the peers into bench/peers …');
  execFileSync(
    'npm',
    ['install', '--prefix', FOLDER, '--no-audit', '--no-fund', '--no-package-lock', '--ignore-scripts', '--silent'],
    { stdio: 'inherit' },
  );
}

export async function benchCompilePeers(): Promise<Row[]> {
  const entry = createRequire(`${FOLDER}package.json`).resolve('@workflow/builders');
  const { applySwcTransform } = (await import(pathToFileURL(entry).href)) as { applySwcTransform: Transform };
  const { directives } = corpus(100, 0);
  const root = tmpdir();
  const ours: number[] = [];
  const mapped: number[] = [];
  const theirs: number[] = [];
  // In turn, a whole pass over the corpus each: a build compiles file after file with one compiler.
  for (let round = 0; round < 9; round++) {
    let start = performance.now();
    for (const { file, source } of directives) compile(source, { filename: file, maps: false });
    ours.push((performance.now() - start) / directives.length);
    start = performance.now();
    for (const { file, source } of directives) compile(source, { filename: file });
    mapped.push((performance.now() - start) / directives.length);
    start = performance.now();
    for (const { file, source } of directives)
      for (const mode of ['workflow', 'step', 'client'] as const)
        await applySwcTransform(file, source, mode, undefined, root);
    theirs.push((performance.now() - start) / directives.length);
  }
  const own = median(ours.slice(2));
  const ownMapped = median(mapped.slice(2));
  const peer = median(theirs.slice(2));
  return [
    { what: 'Workflow SDK: three targets, which come without maps', unit: 'ms', value: peer },
    { what: 'pawl: facts and the same three targets', unit: 'ms', value: own },
    { what: '  pawl against it', unit: '×', value: own / peer, goal: 0.25 },
    { what: 'pawl: facts, three targets and their maps', unit: 'ms', value: ownMapped },
    { what: '  pawl with maps against it without', unit: '×', value: ownMapped / peer },
  ];
}
