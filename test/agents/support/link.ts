import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../support/dist.ts';

/** Installs pawl itself in a project, as a link: processes that tests start take it from `dist/`. */
export function linkSelf(root: string): void {
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  symlinkSync(ROOT, join(root, 'node_modules', 'pawl'));
}
