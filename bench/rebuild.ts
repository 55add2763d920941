import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildSession, createBuildSession } from 'pawl/build';
import { median, type Row } from './report.ts';

const FILES = 200;
const FLOWS = 40;
const ROUNDS = 21;

/** What `pawl build --watch` does after one edit of a project of 200 files: from the changed file to the written output. */
export async function benchRebuild(): Promise<Row[]> {
  const root = mkdtempSync(join(tmpdir(), 'pawl-bench-'));
  try {
    writeProject(root);
    const session = createBuildSession({ root });
    const cold = performance.now();
    await build(session);
    const rows: Row[] = [{ what: `first build of ${FILES} files`, unit: 'ms', value: performance.now() - cold }];
    for (const [what, file, from, to] of EDITS) {
      rows.push({
        what: `rebuild after an edit of ${what}`,
        unit: 'ms',
        value: await measure(session, join(root, file), from, to),
        goal: 100,
      });
    }
    session.close();
    return rows;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const EDITS: [what: string, file: string, from: string, to: string][] = [
  ["a step's body", 'src/flows/flow7.ts', 'return order;', 'console.log(ROUND);\n  return order;'],
  ["a workflow's body", 'src/flows/flow7.ts', "log('loaded')", "log('loaded ROUND')"],
  ['a helper of both', 'src/lib/lib7.ts', 'let total = 0;', 'let total = ROUND;'],
  ['a file that no workflow needs', 'src/app/page7.ts', 'let total = 0;', 'let total = ROUND;'],
];

async function build(session: BuildSession): Promise<void> {
  const { ok, diagnostics } = await session.build();
  if (!ok) throw new Error(diagnostics[0]?.message);
}

async function measure(session: BuildSession, path: string, from: string, to: string): Promise<number> {
  const text = readFileSync(path, 'utf8');
  if (!text.includes(from)) throw new Error(`${path} has no ${from}`);
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    writeFileSync(path, text.replace(from, to.replace('ROUND', String(round))));
    const start = performance.now();
    await build(session);
    times.push(performance.now() - start);
  }
  writeFileSync(path, text);
  await build(session);
  // The first rounds still compile pawl itself.
  return median(times.slice(3));
}

/** 40 modules with steps and workflows, 80 helpers that they share, 80 files that they do not need. */
function writeProject(root: string): void {
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  };
  mkdirSync(join(root, 'node_modules'));
  symlinkSync(fileURLToPath(new URL('..', import.meta.url)), join(root, 'node_modules/pawl'));
  const rest = (FILES - FLOWS) / 2;
  for (let i = 0; i < FLOWS; i++) write(`src/flows/flow${i}.ts`, flow(i));
  for (let i = 0; i < rest; i++) write(`src/lib/lib${i}.ts`, helper(i));
  for (let i = 0; i < rest; i++) write(`src/app/page${i}.ts`, page(i));
}

const total = (name: string, n: number): string => `/** Adds up what ${name} is about. */
export function ${name}(items: { price: number; quantity: number }[], factor = ${n}): number {
  let total = 0;
  for (const { price, quantity } of items) {
    if (quantity > ${n}) total += price * quantity * factor;
    else total += Math.round(price * quantity);
  }
  return total;
}
`;

function helper(i: number): string {
  const parent = i >> 1;
  const imported = i > 0 ? `import { sum${parent}a } from './lib${parent}.ts';\n` : '';
  const combined = i > 0 ? `sum${parent}a([{ price: x, quantity: 1 }])` : 'x';
  return `${imported}import { createHash } from 'node:crypto';
export const client${i} = createHash('sha1');
${total(`sum${i}a`, i)}
${total(`sum${i}b`, i)}
${total(`sum${i}c`, i)}
export const combined${i} = (x: number): number => ${combined};
`;
}

function page(i: number): string {
  return `import { sum${i}a } from '../lib/lib${i}.ts';
${total(`page${i}a`, i)}
${total(`page${i}b`, i)}
export const render${i} = (): number => sum${i}a([]);
`;
}

function flow(i: number): string {
  return `import { sleep } from 'pawl';
import { readFile } from 'node:fs/promises';
import { client${i}, combined${i}, sum${i}a } from '../lib/lib${i}.ts';

interface Order {
  id: string;
  amount: number;
  items: { price: number; quantity: number }[];
}

export async function load${i}(id: string): Promise<Order> {
  'use step';
  const text = await readFile(\`/tmp/\${id}.json\`, 'utf8');
  const order = JSON.parse(text) as Order;
  if (!order.id) throw new Error('no order');
  client${i}.update(order.id);
  return order;
}
load${i}.maxRetries = 5;

export async function charge${i}(order: Order, amount: number): Promise<string> {
  'use step';
  const response = await fetch('https://example.org/charge', { method: 'POST', body: JSON.stringify({ ...order, amount }) });
  if (!response.ok) throw new Error(\`refused: \${response.status}\`);
  return ((await response.json()) as { id: string }).id;
}

async function notify${i}(order: Order, text: string): Promise<void> {
  'use step';
  await fetch('https://example.org/mail', { method: 'POST', body: JSON.stringify({ id: order.id, text }) });
}

export async function fulfil${i}(id: string): Promise<string> {
  'use workflow';
  const order = await load${i}(id);
  const total = sum${i}a(order.items) + combined${i}(order.amount);
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

${total(`local${i}`, i)}`;
}
