import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compile } from '../../src/compiler/index.ts';
import { parseModule } from '../../src/compiler/parse/parse.ts';
import type { Diagnostic } from '../../src/diagnostics/types.ts';

const ROOT = 'fixtures/compile';
const CASES = readdirSync(ROOT).sort();

function line({ severity, code, message, remedy, span, related, fix }: Diagnostic): string {
  const place = (at: typeof span) => `${at.line}:${at.column}-${at.endLine}:${at.endColumn}`;
  return [
    `${place(span)} ${severity} ${code}: ${message}`,
    ...(remedy ? [`    ${remedy}`] : []),
    ...related.map((other) => `    see ${place(other.span)}: ${other.message}`),
    ...(fix ? [`    fix: ${fix.title}`] : []),
  ].join('\n');
}

test.each(CASES)('%s', async (name) => {
  const dir = join(ROOT, name);
  const input = readdirSync(dir).find((file) => file.startsWith('input.')) as string;
  const source = readFileSync(join(dir, input), 'utf8');
  const { diagnostics, facts, outputs } = compile(source, {
    filename: `src/${name}${input.slice('input'.length)}`,
    schemas: true,
  });
  await expect(`${diagnostics.map(line).join('\n')}\n`).toMatchFileSnapshot(`../../${dir}/diagnostics.txt`);
  await expect(
    `${JSON.stringify(
      facts?.functions.map(({ id, kind, placement, captures, usesThis, options }) => ({
        id,
        kind,
        placement,
        captures: captures.map((capture) => `${capture.name} (${capture.declared})`),
        usesThis,
        options,
      })),
      null,
      2,
    )}\n`,
  ).toMatchFileSnapshot(`../../${dir}/functions.json`);
  for (const [target, { code }] of Object.entries(outputs)) {
    await expect(code).toMatchFileSnapshot(`../../${dir}/${target}.${input.slice('input.'.length)}.txt`);
    expect(parseModule(code, input).problems).toEqual([]);
  }
});
