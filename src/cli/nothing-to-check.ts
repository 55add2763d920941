import { statSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import type { SourceLookup } from '../diagnostics/index.ts';

export interface Checked {
  root: string;
  /** What was named on the command line; empty for the whole project. */
  named: readonly string[];
  stats: { entries: number; steps: number; workflows: number };
  source: SourceLookup;
}

/**
 * Why a check without findings says nothing: there was nothing to find them in. One sentence for each thing that was named.
 *
 * @param checked - a check that found nothing
 */
export async function nothingToCheck({ root, named, stats, source }: Checked): Promise<string[]> {
  if (named.length === 0) {
    // Without any entry there is an error that says so, PAWL_NO_ENTRIES.
    if (stats.entries === 0 || stats.steps > 0 || stats.workflows > 0) return [];
    return [`there is no step and no workflow in ${count(stats.entries)}; ${ADVICE}`];
  }
  const { discoverDirectory } = await import('../checker/index.ts');
  const { mayHaveDirectives } = await import('../compiler/index.ts');
  return named.flatMap((name) => {
    const path = relative(root, resolve(root, name)).replaceAll('\\', '/');
    const isDirectory = statSync(resolve(root, name), { throwIfNoEntry: false })?.isDirectory() === true;
    const files = isDirectory ? discoverDirectory(root, path) : [path];
    if (!isDirectory && !SOURCE_FILE.test(path)) {
      return [`${name} is no module: pawl checks JavaScript and TypeScript (${ENDINGS})`];
    }
    if (files.length === 0) return [`there is no source file in ${name}: nothing was checked`];
    if (files.some((file) => mayHaveDirectives(source(file) ?? ''))) return [];
    return [
      `there is no step and no workflow in ${isDirectory ? `${count(files.length)} of ${name}` : name}; ${ADVICE}`,
    ];
  });
}

const SOURCE_FILE = /\.[cm]?[jt]sx?$/;
const ENDINGS = '.ts, .tsx, .mts, .cts, .js, .jsx, .mjs, .cjs';

const ADVICE = "pawl checks functions that begin with 'use step' or 'use workflow', and what they reach";

function count(files: number): string {
  return `${files} file${files === 1 ? '' : 's'}`;
}
