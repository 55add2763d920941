import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createSession } from 'pawl/checker';
import { median, type Row } from './report.ts';

const FLOWS = 200;
/** Modules of each level of helpers; the ones of a level call those of the next. */
const LEVELS = [150, 150, 100, 50];
const PAGES = 350;
const ROUNDS = 7;
/** Of checks with types, which take seconds. */
const TYPED_ROUNDS = 3;

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));

const PARSE = {
  sourceType: 'module',
  plugins: ['typescript', 'decorators-legacy'],
  attachComment: false,
  errorRecovery: true,
  createParenthesizedExpressions: true,
} as const;

/** `pawl check` of a project of 1,000 modules: cold, from its cache, and after an edit in a session. */
export async function benchCheck(): Promise<Row[]> {
  const root = mkdtempSync(join(tmpdir(), 'pawl-bench-'));
  try {
    const reached = writeProject(root);
    writeFileSync(join(root, 'reached.json'), JSON.stringify(reached));
    const starts: number[] = [];
    const parses: number[] = [];
    const colds: number[] = [];
    const warms: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      starts.push(time(() => void execFileSync(process.execPath, ['-e', '0'])));
      parses.push(firstParse(join(root, 'reached.json')));
      rmSync(join(root, 'node_modules/.cache'), { recursive: true, force: true });
      colds.push(time(() => check(root)));
      warms.push(time(() => check(root)));
    }
    const start = median(starts);
    const parsing = median(parses);
    const cold = median(colds);
    return [
      { what: 'process start', unit: 'ms', value: start },
      { what: `one first parse of the ${reached.length} modules that workflows reach`, unit: 'ms', value: parsing },
      { what: 'pawl check of 1,000 modules, cold', unit: 'ms', value: cold },
      { what: '  without process start, against the parse', unit: '×', value: (cold - start) / parsing, goal: 4 },
      { what: 'the same from its cache', unit: 'ms', value: median(warms), goal: 300 },
      { what: 'after one edit, in a session', unit: 'ms', value: await edits(root), goal: 30 },
      ...withTypes(root),
    ];
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** In a process of its own, which still compiles the parser, as that of `pawl check` does; ms, without its start. */
function firstParse(file: string): number {
  const script = `
    import { readFileSync } from 'node:fs';
    import { parse } from ${JSON.stringify(import.meta.resolve('@babel/parser'))};
    const texts = JSON.parse(readFileSync(${JSON.stringify(file)}, 'utf8'));
    const start = performance.now();
    for (const text of texts) parse(text, ${JSON.stringify(PARSE)});
    console.log(performance.now() - start);`;
  return Number(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }));
}

function time(body: () => void): number {
  const start = performance.now();
  body();
  return performance.now() - start;
}

/** The same TypeScript, once asked for types by a cold check, once for all errors of the project. */
function withTypes(root: string): Row[] {
  for (const name of ['typescript', '@types/node', 'undici-types']) {
    mkdirSync(dirname(join(root, 'node_modules', name)), { recursive: true });
    symlinkSync(fileURLToPath(new URL(`../node_modules/${name}`, import.meta.url)), join(root, 'node_modules', name));
  }
  writeFileSync(join(root, 'tsconfig.json'), JSON.stringify({ compilerOptions: OPTIONS, include: ['src'] }));
  const tsc = join(root, 'node_modules/typescript/lib/tsc.js');
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < TYPED_ROUNDS; round++) {
    rmSync(join(root, 'node_modules/.cache'), { recursive: true, force: true });
    ours.push(time(() => check(root, [])));
    theirs.push(time(() => void spawnSync(process.execPath, [tsc, '--noEmit', '-p', root], { cwd: root })));
  }
  return [
    { what: 'pawl check of 1,000 modules with types, cold', unit: 'ms', value: median(ours) },
    { what: '  with types, against tsc --noEmit', unit: '×', value: median(ours) / median(theirs), goal: 1.3 },
  ];
}

const OPTIONS = {
  target: 'ES2022',
  module: 'preserve',
  moduleResolution: 'bundler',
  allowImportingTsExtensions: true,
  strict: true,
  skipLibCheck: true,
  types: ['node'],
};

function check(root: string, options: readonly string[] = ['--no-types']): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, 'check', ...options, '--format', 'json'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`pawl check: ${status}\n${stdout.slice(0, 1000)}${stderr}`);
}

/** A helper of the third level changes what it calls: what stands above it is judged again. */
async function edits(root: string): Promise<number> {
  const session = createSession({ root });
  await session.check();
  const times: number[] = [];
  for (let round = 0; round < 21; round++) {
    const text = helper(2, round % 5).replace('let total = 0', `let total = ${round}`);
    const begun = performance.now();
    session.update(`src/lib/level2/helper${round % 5}.ts`, text);
    await session.check();
    times.push(performance.now() - begun);
  }
  session.dispose();
  return median(times.slice(5));
}

/** Writes a project of 1,000 modules; returns the texts of those that workflows reach. */
export function writeProject(root: string): string[] {
  const write = (file: string, text: string): string => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
    return text;
  };
  const reached: string[] = [];
  mkdirSync(join(root, 'node_modules'));
  symlinkSync(fileURLToPath(new URL('..', import.meta.url)), join(root, 'node_modules/pawl'));
  write('src/types.ts', 'export interface Item {\n  price: number;\n  quantity: number;\n}\n');
  for (let i = 0; i < FLOWS; i++) reached.push(write(`src/flows/flow${i}.ts`, flow(i)));
  LEVELS.forEach((count, level) => {
    for (let i = 0; i < count; i++) reached.push(write(`src/lib/level${level}/helper${i}.ts`, helper(level, i)));
  });
  for (let i = 0; i < PAGES; i++) write(`src/app/page${i}.ts`, page(i));
  return reached;
}

const body = (name: string, n: number, call: string): string => `/** Adds up what ${name} is about. */
export function ${name}(items: readonly Item[], factor = ${n}): number {
  let total = 0;
  for (const { price, quantity } of items) {
    if (quantity > ${n}) total += price * quantity * factor;
    else total += Math.round(price * quantity);
  }
  return ${call};
}
`;

/** Helpers of a level call two of the next one, by name and by namespace. */
function helper(level: number, i: number): string {
  const below = LEVELS[level + 1];
  const name = `level${level}of${i}`;
  if (below === undefined)
    return `import type { Item } from '../../types.ts';\n${body(name, i, 'total')}${body(`${name}b`, i, 'total')}`;
  const a = (i * 7 + level) % below;
  const b = (i * 3 + 1) % below;
  return `import { level${level + 1}of${a} } from '../level${level + 1}/helper${a}.ts';
import * as second from '../level${level + 1}/helper${b}.ts';
import type { Item } from '../../types.ts';

export class Totals${i} {
  constructor(private readonly items: readonly Item[]) {}
  sum(): number {
    return second.level${level + 1}of${b}(this.items);
  }
}
${body(name, i, `total + level${level + 1}of${a}(items) + new Totals${i}(items).sum()`)}
${body(`${name}b`, i, `[1, 2].map((n) => second.level${level + 1}of${b}(items, n)).length + total`)}`;
}

function page(i: number): string {
  return `import { level0of${i % 150} } from '../lib/level0/helper${i % 150}.ts';
import type { Item } from '../types.ts';
${body(`page${i}a`, i, 'total')}
${body(`page${i}b`, i, 'total')}
export const render${i} = (): number => level0of${i % 150}([]);
`;
}

function flow(i: number): string {
  const a = i % 150;
  const b = (i * 11 + 3) % 150;
  return `import { readFile } from 'node:fs/promises';
import { FatalError, sleep } from 'pawl';
import { level0of${a} } from '../lib/level0/helper${a}.ts';
import * as pricing from '../lib/level0/helper${b}.ts';
import type { Item } from '../types.ts';

interface Order {
  id: string;
  amount: number;
  items: Item[];
}

export async function load${i}(id: string): Promise<Order> {
  'use step';
  const order = JSON.parse(await readFile(\`/tmp/\${id}.json\`, 'utf8')) as Order;
  if (!order.id) throw new FatalError('no order');
  return order;
}
load${i}.maxRetries = 5;

export async function charge${i}(order: Order, amount: number): Promise<string> {
  'use step';
  const body = JSON.stringify({ ...order, amount });
  const response = await fetch('https://example.org/charge', { method: 'POST', headers: { 'Idempotency-Key': order.id }, body });
  if (!response.ok) throw new Error(\`refused: \${response.status}\`);
  return ((await response.json()) as { id: string }).id;
}

async function notify${i}(order: Order, text: string): Promise<void> {
  'use step';
  await fetch(\`https://example.org/mail/\${order.id}?text=\${encodeURIComponent(text)}\`);
}

export async function fulfil${i}(id: string): Promise<string> {
  'use workflow';
  const order = await load${i}(id);
  const total = level0of${a}(order.items) + pricing.level0of${b}b(order.items);
  const log = async (line: string): Promise<void> => {
    'use step';
    console.log(order.id, line);
  };
  await log('loaded');
  if (total <= 0) return 'nothing to do';
  const payment = await charge${i}(order, total);
  await sleep('1h');
  await Promise.all([notify${i}(order, 'paid'), log(payment)]);
  for (const item of order.items) {
    if (item.quantity > 10) await notify${i}(order, 'a lot');
  }
  return payment;
}

${body(`local${i}`, i, 'total')}`;
}
