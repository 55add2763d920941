import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { build, checkCompat } from '../../src/bundler/index.ts';
import type { Diagnostic } from '../../src/diagnostics/types.ts';
import type { Manifest } from '../../src/manifest/index.ts';
import { ROOT } from './dist.ts';
import { temporaryProject } from './project.ts';

const DEPLOYED = 'deployed/';

/** Builds the program that stands under `deployed/` and the one beside it, and compares them. */
export async function compatExample(files: Record<string, string>): Promise<Diagnostic[]> {
  const entries = Object.entries(files);
  const before = entries
    .filter(([file]) => file.startsWith(DEPLOYED))
    .map(([file, text]) => [file.slice(DEPLOYED.length), text]);
  const after = entries.filter(([file]) => !file.startsWith(DEPLOYED));
  const config = JSON.parse(files['pawl.config.json'] ?? '{}');
  const deployed = await manifestOf(Object.fromEntries(before));
  return checkCompat(deployed, await manifestOf(Object.fromEntries(after)), config, (file) => files[file] ?? null);
}

async function manifestOf(files: Record<string, string>): Promise<Manifest> {
  const root = temporaryProject(files);
  const { output, diagnostics } = await build({ root, write: false, packages: [join(ROOT, 'node_modules')] });
  if (!output) throw new Error(JSON.stringify(diagnostics));
  return output.manifest;
}

export function filesIn(root: string): Record<string, string> {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => statSync(join(root, name)).isFile());
  return Object.fromEntries(files.map((name) => [name.replaceAll('\\', '/'), readFileSync(join(root, name), 'utf8')]));
}
