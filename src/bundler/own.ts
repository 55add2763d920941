import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * pawl's own files that bundles take in. The compiler and the code that it calls belong together, so they are taken from this very
 * package, not from what the user's imports would resolve to. Works from the sources (tests) and from `dist`.
 */
export interface OwnFiles {
  /** Folder of the package. */
  root: string;
  /** `pawl` for steps. */
  api: string;
  /** `pawl/internal/step`. */
  step: string;
  /** `pawl/agent` for steps. */
  agent: string;
  /** The agent loop for workflows. */
  agentLoop: string;
  /** Its steps. */
  agentStep: string;
  /** Any other entry, such as `client`; by the package's `exports`. */
  entry(name: string): string;
}

let found: OwnFiles | undefined;

export function ownFiles(): OwnFiles {
  if (found) return found;
  const here = realpathSync(fileURLToPath(import.meta.url));
  const root = packageRoot(here);
  const [folder, ending] = here.endsWith('.ts') ? ['src', '.ts'] : ['dist', '.js'];
  const at = (name: string): string => join(root, folder, name + ending);
  found = {
    root,
    api: at('index'),
    step: at('internal/step'),
    agent: at(folder === 'src' ? 'agents/agent-entry' : 'agent'),
    agentLoop: at('internal/agent-loop'),
    agentStep: at('internal/agent-step'),
    entry: (name) => join(root, 'dist', `${name}.js`),
  };
  return found;
}

/** Whether a module is pawl's own and no dependency of it. */
export function isOwnFile(path: string): boolean {
  const { root } = ownFiles();
  const rest = path.startsWith(root) ? path.slice(root.length) : '';
  return /^[\\/](?:src|dist)[\\/]/.test(rest);
}

function packageRoot(from: string): string {
  for (let folder = dirname(from); ; folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).name === 'pawl') return folder;
    if (dirname(folder) === folder) return dirname(from);
  }
}
