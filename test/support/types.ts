import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSession, createTypes, type Diagnostic, type TypeBackend } from '../../src/checker/index.ts';
import { type Candidate, candidateFor } from '../../src/checker/types/load.ts';
import { ROOT } from './dist.ts';

/** One of each kind that pawl can ask: the oldest and the newest with the classic API, and the one that is a process of its own. */
export const TYPESCRIPTS: Record<string, Candidate> = {
  'TypeScript 5.5': candidate('test/support/typescript-5/node_modules/typescript'),
  'TypeScript 6': candidate('node_modules/typescript'),
  'TypeScript 7': candidate('test/support/typescript-7/node_modules/typescript'),
};

function candidate(folder: string): Candidate {
  const directory = join(ROOT, folder);
  const { version } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as { version: string };
  const found = candidateFor({ directory, version });
  if (!found) throw new Error(`TypeScript ${version} is none that pawl asks.`);
  return found;
}

/** Types that only these candidates answer. */
export function typesFrom(...found: Candidate[]): TypeBackend {
  return createTypes({ root: ROOT, candidates: () => ({ found, reasons: [] }) });
}

/** Findings that types are needed for, in one line each. */
export async function typedFindings(root: string, types: TypeBackend, entries?: string[]): Promise<string[]> {
  const session = createSession({ root, types, cache: false, config: entries ? { entries } : {} });
  const { diagnostics } = await session.check();
  session.dispose();
  return diagnostics.filter(({ code }) => code === 'PAWL2001' || code === 'PAWL2002').map(inOneLine);
}

export function inOneLine({ file, span, message }: Diagnostic): string {
  return `${file}:${span.line}:${span.column} ${message}`;
}
