import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
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

/**
 * Installs the peers into `bench/peers`, unless they are there; they are no part of the project's own installation. Whoever cannot be
 * installed here says so in its own rows.
 */
export function installPeers(): void {
  if (Object.entries(peerVersions()).every(([name, version]) => installedVersion(name) === version)) return;
  console.error('installing the peers into bench/peers …');
  try {
    execFileSync(
      'npm',
      ['install', '--prefix', FOLDER, '--no-audit', '--no-fund', '--no-package-lock', '--ignore-scripts', '--silent'],
      { stdio: 'inherit' },
    );
  } catch {
    console.error('the peers could not be installed: see bench/peers/package.json');
  }
}

/** Which version of each package is measured: the pinned ones. */
export function peerVersions(): Record<string, string> {
  const { dependencies } = JSON.parse(readFileSync(`${FOLDER}package.json`, 'utf8')) as {
    dependencies: Record<string, string>;
  };
  return dependencies;
}

function installedVersion(name: string): string | undefined {
  const file = `${FOLDER}node_modules/${name}/package.json`;
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version : undefined;
}

export async function benchCompilePeers(): Promise<Row[]> {
  if (installedVersion('@workflow/builders') === undefined)
    return [{ what: 'Workflow SDK: three targets', unit: 'ms', value: 'is not installed' }];
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
