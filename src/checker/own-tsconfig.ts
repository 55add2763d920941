import { readFileSync } from 'node:fs';
import { Positions } from '../diagnostics/positions.ts';
import { statOf } from './stamps.ts';

/** Blanks and comments, which `tsconfig.json` may begin with. */
const LEADING = /^(?:\s|\/\/[^\r\n]*|\/\*[^]*?\*\/)*/;

/**
 * What can be told of the `tsconfig.json` of a project without knowing its options: that it is no file, or holds something else than
 * an object. Whether an object parses is for the resolver to say, which reads it.
 *
 * @param file - absolute path
 * @returns null where there is none, or nothing is wrong so far
 */
export function oddTsconfig(file: string): { message: string; line: number; column: number } | null {
  const stats = statOf(file);
  if (!stats) return null;
  if (!stats.isFile())
    return { message: stats.isDirectory() ? 'it is a directory' : 'it is no file', line: 1, column: 1 };
  const text = readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  const at = LEADING.exec(text)?.[0].length ?? 0;
  // An empty one says nothing, and TypeScript takes it.
  if (at >= text.length || text[at] === '{') return null;
  return { message: 'it holds no object', ...new Positions(text).at(at) };
}
