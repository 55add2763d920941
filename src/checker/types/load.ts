import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { TypeBackend } from './backend.ts';
import { createClassicBackend } from './classic.ts';
import type { TypeScript } from './classic-model.ts';
import { createNativeBackend, type NativeTypeScript } from './native.ts';

/** Finds a TypeScript that can be asked: the project's own first, so that types are what its `tsc` says, then that beside pawl. */

export interface Candidate {
  /** `TypeScript 6.0.3` */
  name: string;
  /** @throws whatever goes wrong; the next candidate is tried then */
  load(): TypeBackend;
}

export interface Candidates {
  found: Candidate[];
  /** What was passed over, in sentences. */
  reasons: string[];
}

/** @param root - absolute path of the project */
export function findTypeScript(root: string): Candidates {
  const found: Candidate[] = [];
  const reasons: string[] = [];
  const seen = new Set<string>();
  for (const from of [join(root, 'package.json'), import.meta.url]) {
    const installed = installedAt(from);
    if (!installed || seen.has(installed.directory)) continue;
    seen.add(installed.directory);
    const candidate = candidateFor(installed);
    if (candidate) found.push(candidate);
    else reasons.push(`TypeScript ${installed.version} is not one that pawl can ask: it knows 5.5 to 7.`);
  }
  return { found, reasons };
}

interface Installed {
  directory: string;
  version: string;
}

function installedAt(from: string): Installed | null {
  try {
    const require = createRequire(from);
    const manifest = require.resolve('typescript/package.json');
    const { version } = require(manifest) as { version: unknown };
    return typeof version === 'string' ? { directory: dirname(manifest), version } : null;
  } catch {
    return null;
  }
}

/** The backend for a TypeScript that is installed in a folder; null for a version that is not known. */
export function candidateFor({ directory, version }: Installed): Candidate | null {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const name = `TypeScript ${version}`;
  // From within the package, so that Node takes the modules that it loads for installed ones.
  const require = createRequire(join(directory, 'package.json'));
  if (major === 7) {
    const load = (): TypeBackend => {
      const api = require('typescript/unstable/sync') as NativeTypeScript['api'];
      const ast = require('typescript/unstable/ast') as NativeTypeScript['ast'];
      return createNativeBackend({ api, ast, version });
    };
    return { name, load };
  }
  const isClassic = major === 6 || (major === 5 && minor >= 5);
  return isClassic ? { name, load: () => createClassicBackend(require(directory) as TypeScript) } : null;
}
