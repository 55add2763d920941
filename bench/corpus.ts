/**
 * A corpus like a real code base, the same on every machine: modules with directives of 57 to 154 lines, and modules without.
 */
export interface CorpusFile {
  file: string;
  source: string;
}

/** Small, seeded, good enough to vary text: mulberry32. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const NOUNS = [
  'order',
  'invoice',
  'shipment',
  'customer',
  'refund',
  'parcel',
  'payment',
  'contract',
  'ticket',
  'message',
];
const VERBS = ['charge', 'reserve', 'notify', 'archive', 'enrich', 'publish', 'validate', 'index', 'settle', 'export'];

export function corpus(withDirectives: number, without: number): { directives: CorpusFile[]; plain: CorpusFile[] } {
  const next = random(42);
  const directives = Array.from({ length: withDirectives }, (_, i) =>
    directiveModule(i, 57 + Math.floor((i / Math.max(1, withDirectives - 1)) * 97), next),
  );
  const plain = Array.from({ length: without }, (_, i) => plainModule(i, 40 + Math.floor(next() * 140), next));
  return { directives, plain };
}

function pick<T>(list: readonly T[], next: () => number): T {
  return list[Math.floor(next() * list.length)] as T;
}

function capital(word: string): string {
  return word[0]?.toUpperCase() + word.slice(1);
}

function directiveModule(i: number, lines: number, next: () => number): CorpusFile {
  const noun = pick(NOUNS, next);
  const type = capital(noun);
  const out: string[] = [
    "import { FatalError, sleep } from 'pawl';",
    "import { readFile } from 'node:fs/promises';",
    `import { client${i} } from '../clients/client${i % 7}.ts';`,
    `import type { ${type} } from '../types/${noun}.ts';`,
    '',
    `const RATE_${i} = ${next().toFixed(3)};`,
    '',
    '/** What the provider answers. */',
    `export interface ${type}Receipt {`,
    '  id: string;',
    '  total: number;',
    '  createdAt: Date;',
    '}',
    '',
    `function totalOf(${noun}: ${type}): number {`,
    `  return ${noun}.lines.reduce((sum, line) => sum + line.price * line.quantity * (1 + RATE_${i}), 0);`,
    '}',
  ];
  const steps: string[] = [];
  while (out.length < lines - 28) {
    const name = `${pick(VERBS, next)}${type}${steps.length}`;
    steps.push(name);
    out.push(
      '',
      `export async function ${name}(${noun}: ${type}, options: { dryRun?: boolean } = {}): Promise<${type}Receipt> {`,
      "  'use step';",
      `  if (options.dryRun) return { id: '', total: totalOf(${noun}), createdAt: new Date() };`,
      `  const template = await readFile(\`./templates/\${${noun}.kind}.json\`, 'utf8');`,
      `  const response = await client${i}.post('/v1/${noun}s', { body: JSON.parse(template), total: totalOf(${noun}) });`,
      '  if (response.status === 404) throw new FatalError(`unknown ${' + noun + '.id}`);',
      '  return { id: response.id, total: response.total ?? 0, createdAt: new Date(response.created) };',
      '}',
      `${name}.maxRetries = ${Math.floor(next() * 9)};`,
    );
  }
  const first = steps[0] ?? 'none';
  out.push(
    '',
    `export async function process${type}${i}(${noun}s: ${type}[]) {`,
    "  'use workflow';",
    '  const receipts: unknown[] = [];',
    `  for (const ${noun} of ${noun}s) {`,
    `    const total = totalOf(${noun});`,
    '    if (total <= 0) continue;',
    `    const audit = async (note: string) => {`,
    "      'use step';",
    `      await client${i}.post('/v1/audit', { note, total, id: ${noun}.id });`,
    '    };',
    `    const receipt = await ${first}(${noun}, { dryRun: total > 10_000 });`,
    '    await audit(`processed ${receipt.id}`);',
    '    receipts.push(receipt);',
    `    await sleep('${1 + Math.floor(next() * 50)}m');`,
    '  }',
    `  const results = await Promise.all(${noun}s.map((each) => ${steps[1] ?? first}(each)));`,
    '  return { receipts, sum: results.reduce((sum, { total }) => sum + total, 0) };',
    '}',
  );
  while (out.length < lines) out.push(`// ${noun} ${out.length}`);
  return { file: `src/workflows/${noun}${i}.ts`, source: `${out.join('\n')}\n` };
}

function plainModule(i: number, lines: number, next: () => number): CorpusFile {
  const noun = pick(NOUNS, next);
  const type = capital(noun);
  const out = [`import { base } from './base${i % 9}.ts';`, `import type { ${type} } from '../types/${noun}.ts';`, ''];
  while (out.length < lines)
    out.push(
      `export function ${pick(VERBS, next)}${out.length}(${noun}: ${type}, limit = ${Math.floor(next() * 100)}): string[] {`,
      `  const seen = new Map<string, number>();`,
      `  for (const line of ${noun}.lines) {`,
      '    seen.set(line.sku, (seen.get(line.sku) ?? 0) + line.quantity);',
      '    if (seen.size > limit) throw new RangeError(`too many lines: ${seen.size}`);',
      '  }',
      "  return [...seen].map(([sku, count]) => `${sku}: ${count} ${base(sku, { strict: true, label: 'use it' })}`);",
      '}',
      '',
    );
  return { file: `src/lib/${noun}${i}.ts`, source: `${out.join('\n')}\n` };
}
