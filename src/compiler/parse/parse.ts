import { createRequire } from 'node:module';
import type { ParserOptions, ParserPlugin } from '@babel/parser';
import type * as t from '@babel/types';

/**
 * The parser is one large CommonJS file, and Node scans such a file for its exports when it is imported: 80 ms that `require`
 * does not need.
 */
const { parse: babelParse } = createRequire(import.meta.url)('@babel/parser') as typeof import('@babel/parser');

/** What went wrong while parsing: at which offset, and the parser's words without their position. */
export interface SyntaxProblem {
  offset: number;
  message: string;
  remedy?: string;
}

export interface Parsed {
  /** Null when the parser could not recover. */
  program: t.Program | null;
  comments: readonly t.Comment[];
  problems: SyntaxProblem[];
  /** The parser had no room left for what is nested in the module. */
  tooDeep?: true;
}

const ALWAYS: ParserPlugin[] = [
  'typescript',
  'decorators-legacy',
  'decoratorAutoAccessors',
  'explicitResourceManagement',
  'importAttributes',
  'deferredImportEvaluation',
  'sourcePhaseImports',
];

/** `export @dec class`: only the decorators of the standard may stand there, and only the legacy ones at parameters. */
const DECORATOR_BEHIND_EXPORT = /\bexport\s+(?:default\s+)?@/;

const OPTIONS = {
  attachComment: false,
  errorRecovery: true,
  createParenthesizedExpressions: true,
  tokens: false,
  allowReturnOutsideFunction: true,
  allowAwaitOutsideFunction: true,
  allowNewTargetOutsideFunction: true,
  allowSuperOutsideMethod: true,
  allowUndeclaredExports: true,
} as const satisfies ParserOptions;

/**
 * Parses a module of any JavaScript or TypeScript flavour, chosen by the file's ending. Plain `.js` may be a sloppy script
 * (an old CommonJS file): where it fails as a module it gets a second chance as a script. So does `.cts`, in which TypeScript
 * writes `import` and `export` as well as `require`.
 *
 * @param source - text of the module
 * @param file - its path; only the ending matters
 * @returns program, comments and problems; never throws on user code
 */
export function parseModule(source: string, file: string): Parsed {
  const ending = /\.([cm]?[jt]sx?)$/.exec(file)?.[1] ?? 'ts';
  const typescript = ending.includes('ts');
  const jsx = ending.endsWith('x') || !typescript;
  const plugins: ParserPlugin[] = jsx ? [...ALWAYS, 'jsx'] : ALWAYS;
  if (ending === 'cjs') return attempt(source, { ...OPTIONS, plugins, sourceType: 'script' });
  let parsed = attempt(source, { ...OPTIONS, plugins, sourceType: 'module' });
  if (parsed.problems.length > 0 && DECORATOR_BEHIND_EXPORT.test(source)) {
    const standard = plugins.map((plugin): ParserPlugin => (plugin === 'decorators-legacy' ? 'decorators' : plugin));
    const again = attempt(source, { ...OPTIONS, plugins: standard, sourceType: 'module' });
    if (again.problems.length < parsed.problems.length) parsed = again;
  }
  if (parsed.problems.length === 0 || (typescript && ending !== 'cts')) return parsed;
  const script = attempt(source, { ...OPTIONS, plugins, sourceType: 'script' });
  return script.problems.length === 0 ? script : parsed;
}

function attempt(source: string, options: ParserOptions): Parsed {
  try {
    const file = babelParse(source, options);
    const problems = (file.errors ?? []).map(problemOf);
    return { program: file.program, comments: file.comments ?? [], problems };
  } catch (error) {
    if (error instanceof RangeError) return { program: null, comments: [], problems: [], tooDeep: true };
    return { program: null, comments: [], problems: [problemOf(error)] };
  }
}

function problemOf(error: unknown): SyntaxProblem {
  const { pos, loc, message } = error as { pos?: number; loc?: { index?: number }; message?: string };
  const text = String(message ?? error).replace(/ \(\d+:\d+\)/, '');
  return { offset: pos ?? loc?.index ?? 0, message: text.split('\n')[0] as string };
}
