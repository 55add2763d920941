import { globSync } from 'tinyglobby';
import { compareText } from '../diagnostics/order.ts';

/** Where steps and workflows are looked for unless the configuration says otherwise. */
export const DEFAULT_ENTRIES: readonly string[] = ['src/**/*.{ts,tsx,js,jsx,mts,cts,mjs,cjs}'];

/** What an entry glob never means: installed packages, type declarations, what builds put out. */
const NEVER = ['**/node_modules/**', '**/*.d.{ts,mts,cts}', '**/.pawl/**'];

/** Tests are no entries unless the configuration names them: they define steps and slugs that only they use. */
const TESTS = ['**/*.{test,spec}.*', '**/__tests__/**', '**/__mocks__/**'];

/**
 * The entry files of a project.
 *
 * @param root - absolute path
 * @param entries - globs relative to the root; null for the default
 * @returns files relative to the root with `/`, sorted
 */
export function discoverEntries(root: string, entries: readonly string[] | null = null): string[] {
  const ignore = entries === null ? [...NEVER, ...TESTS] : NEVER;
  const files = globSync([...(entries ?? DEFAULT_ENTRIES)], {
    cwd: root,
    ignore,
    onlyFiles: true,
    expandDirectories: false,
  });
  return files.map((file) => file.replaceAll('\\', '/')).sort(compareText);
}

/** All source files in a directory, as `discoverEntries` would take them. */
export function discoverDirectory(root: string, directory: string): string[] {
  const prefix = directory === '' || directory === '.' ? '' : `${escapeGlob(directory)}/`;
  return discoverEntries(root, [`${prefix}**/*.{ts,tsx,js,jsx,mts,cts,mjs,cjs}`]);
}

function escapeGlob(path: string): string {
  return path.replace(/[()[\]{}!*+?@\\]/g, '\\$&');
}
