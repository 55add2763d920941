import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Ajv } from 'ajv';
import AjvDraft04 from 'ajv-draft-04';
import addFormats from 'ajv-formats';
import type { Log, Result } from 'sarif';
import { expect, test } from 'vitest';
import { type Diagnostic, type FormatOptions, formatDiagnostics } from '../../src/diagnostics/index.ts';
import { RULES, ruleHelp } from '../../src/rules/index.ts';
import { ROOT } from '../support/dist.ts';
import { chained, fixable, helper, text } from './findings.ts';
import { HOSTILE_FILES, HOSTILE_TEXTS, hostileFindings, manyFindings, SOURCE } from './hostile.ts';

/** The schema of the standard as the SARIF SDK publishes it (MIT). */
const SCHEMA = join(ROOT, 'fixtures/schemas/sarif-2.1.0-rtm.5.json');
const ajv = new (AjvDraft04 as unknown as typeof Ajv)({ strict: false, unicodeRegExp: false });
(addFormats as unknown as (target: Ajv) => void)(ajv);
const validate = ajv.compile(JSON.parse(readFileSync(SCHEMA, 'utf8')));

function sarif(diagnostics: readonly Diagnostic[], options: Partial<FormatOptions> = {}): Log {
  const source = (file: string): string | null => (file === 'src/quote.ts' ? text : helper);
  const written = formatDiagnostics(diagnostics, 'sarif', {
    source,
    rules: RULES.map(ruleHelp),
    version: '1.2.3',
    ...options,
  });
  const log = JSON.parse(written) as Log;
  validate(log);
  expect(validate.errors ?? []).toEqual([]);
  return log;
}

function resultsOf(log: Log): Result[] {
  return log.runs[0]?.results ?? [];
}

test('the schema refuses what is no log', () => {
  expect(validate({ version: '2.1.0', runs: [{ tool: {} }] })).toBe(false);
  expect(validate({ version: '2.1.0', runs: [{ tool: { driver: { name: 'x', helpUri: 'no uri' } } }] })).toBe(false);
});

test('is a valid log for nothing', () => {
  const log = sarif([]);
  expect(resultsOf(log)).toEqual([]);
  expect(log.runs[0]?.tool.driver).toEqual({ name: 'pawl', version: '1.2.3', rules: [] });
});

test('has place, message, chain, fix and the rules with their help', () => {
  const log = sarif([chained, fixable]);
  const [first, second] = resultsOf(log) as [Result, Result];
  expect(first).toMatchObject({
    ruleId: 'PAWL3002',
    ruleIndex: 1,
    level: 'error',
    message: {
      text: 'Workflow `quote` reaches `fetch`. (quote → priceOf (src/pricing.ts:1:39) → fetch) Move it into a step.',
    },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: 'src/quote.ts', uriBaseId: '%SRCROOT%' },
          region: { startLine: 3, startColumn: 22, endLine: 3, endColumn: 29 },
        },
      },
    ],
    partialFingerprints: { 'pawl/v1': expect.stringMatching(/^[0-9a-f]{32}$/) },
  });
  expect(first.relatedLocations?.map(({ id, message }) => [id, message?.text])).toEqual([
    [0, '`quote` calls `priceOf`'],
    [1, '`priceOf` calls `fetch`'],
  ]);
  expect(first.codeFlows?.[0]?.threadFlows[0]?.locations).toHaveLength(2);
  expect(second.codeFlows).toBeUndefined();
  expect(second.fixes).toEqual([
    {
      description: { text: "Add 'async'." },
      artifactChanges: [
        {
          artifactLocation: { uri: 'src/pricing.ts', uriBaseId: '%SRCROOT%' },
          replacements: [
            {
              deletedRegion: { charOffset: 0, charLength: 0, startLine: 1, startColumn: 1, endLine: 1, endColumn: 1 },
              insertedContent: { text: 'async ' },
            },
          ],
        },
      ],
    },
  ]);
  const rules = log.runs[0]?.tool.driver.rules ?? [];
  expect(rules.map(({ id, name }) => `${id} ${name}`)).toEqual([
    'PAWL1002 directive-not-async',
    'PAWL3002 io-in-workflow',
  ]);
  for (const rule of rules) {
    expect(rule.helpUri).toMatch(new RegExp(`^https://.+/docs/rules/${rule.name}\\.md$`));
    expect(rule.help?.markdown).toContain('**Why.**');
    expect(rule.shortDescription?.text).toMatch(/\.$/);
  }
});

test('names files by their path in the repository', () => {
  const uri = (log: Log): string | undefined =>
    resultsOf(log)[0]?.locations?.[0]?.physicalLocation?.artifactLocation?.uri;
  expect(uri(sarif([chained], { folder: 'packages/shop' }))).toBe('packages/shop/src/quote.ts');
  expect(uri(sarif([{ ...chained, file: '../lib/a.ts' }], { folder: 'packages/shop' }))).toBe('packages/lib/a.ts');
});

test('goes without texts and documentation', () => {
  const [result] = resultsOf(sarif([fixable], { source: () => null, rules: undefined })) as [Result];
  expect(result.fixes?.[0]?.artifactChanges[0]?.replacements[0]?.deletedRegion).toEqual({
    charOffset: 0,
    charLength: 0,
  });
});

test('is valid whatever texts and file names hold', () => {
  const log = sarif(hostileFindings(), { source: () => SOURCE });
  expect(resultsOf(log)).toHaveLength(HOSTILE_FILES.length * HOSTILE_TEXTS.length);
  for (const result of resultsOf(log)) {
    const uri = result.locations?.[0]?.physicalLocation?.artifactLocation?.uri ?? '';
    expect(uri).not.toMatch(/[\s?#:]/);
    expect(() => new URL(uri, 'file:///repository/')).not.toThrow();
  }
  const files = new Set(resultsOf(log).map((each) => each.locations?.[0]?.physicalLocation?.artifactLocation?.uri));
  expect(files.size).toBe(HOSTILE_FILES.length);
});

test('holds 10,000 findings', () => {
  const names = resultsOf(sarif(manyFindings(10_000))).map((each) => each.partialFingerprints?.['pawl/v1']);
  expect(new Set(names).size).toBe(10_000);
});
