import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parse } from '@babel/parser';
import { compile } from 'pawl/compiler';
import { corpus, type CorpusFile } from './corpus.ts';
import { median, type Row } from './report.ts';

/** What the compiler itself asks of the parser, so that both sides parse alike. */
const PARSE = {
  sourceType: 'module',
  plugins: [
    'typescript',
    'decorators-legacy',
    'decoratorAutoAccessors',
    'explicitResourceManagement',
    'importAttributes',
  ],
  attachComment: false,
  errorRecovery: true,
  createParenthesizedExpressions: true,
  tokens: false,
} as const;

const ROUNDS = 15;

/** Compile against parse, in turn, file by file, so that both see the same machine. */
export function benchCompile(): Row[] {
  const { directives, plain } = corpus(100, 400);
  const parses: number[] = [];
  const compiles: number[] = [];
  const skips: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    let parsing = 0;
    let compiling = 0;
    for (const { file, source } of directives) {
      parsing += time(() => parse(source, PARSE as never));
      compiling += time(() => compile(source, { filename: file }));
    }
    parses.push(parsing / directives.length);
    compiles.push(compiling / directives.length);
    skips.push(time(() => plain.forEach(({ file, source }) => compile(source, { filename: file }))) / plain.length);
  }
  const parseMs = median(parses.slice(3));
  const compileMs = median(compiles.slice(3));
  return [
    { what: 'one parse of a file with directives', unit: 'ms', value: parseMs },
    { what: 'facts + three targets + maps of it', unit: 'ms', value: compileMs },
    { what: '  against the parse', unit: '×', value: compileMs / parseMs, goal: 3.5 },
    { what: 'a file without directives', unit: 'µs', value: median(skips.slice(3)) * 1000, goal: 10 },
    { what: 'first file after process start, imports included', unit: 'ms', value: coldStart(), goal: 120 },
  ];
}

function time(body: () => void): number {
  const start = performance.now();
  body();
  return performance.now() - start;
}

/** A fresh process imports the compiler and compiles one file; it tells how long both took together. */
function coldStart(): number {
  const { directives } = corpus(3, 0);
  const { file, source } = directives[1] as CorpusFile;
  const script = `
    const start = performance.now();
    const { compile } = await import('pawl/compiler');
    compile(${JSON.stringify(source)}, { filename: ${JSON.stringify(file)} });
    console.log(performance.now() - start);`;
  const root = fileURLToPath(new URL('..', import.meta.url));
  return median(
    Array.from({ length: 9 }, () =>
      Number(execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: root, encoding: 'utf8' })),
    ),
  );
}
