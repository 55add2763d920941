/** Reports for CI systems, read back as those systems read them. */
import { SaxesParser } from 'saxes';
import { describe, expect, test } from 'vitest';
import {
  createDiagnostic,
  type Diagnostic,
  type Format,
  FORMATS,
  formatDiagnostics,
  isFormat,
} from '../../src/diagnostics/index.ts';
import { visible } from '../../src/diagnostics/format/text.ts';
import { chained, fixable, helper, text } from './findings.ts';
import { HOSTILE_FILES, HOSTILE_TEXTS, hostileFindings, manyFindings, SOURCE } from './hostile.ts';

const source = (file: string): string | null => (file === 'src/quote.ts' ? text : helper);
const format = (diagnostics: readonly Diagnostic[], name: Format, options = {}): string =>
  formatDiagnostics(diagnostics, name, { source, ...options });

const full = (message: string): string => `${message} (${message}) ${message}`;
/** As it comes back from a file. */
const wellFormed = (value: string): string => Buffer.from(value).toString();

describe('all formats', () => {
  test('are known by name', () => {
    expect(FORMATS).toEqual(['pretty', 'tsc', 'json', 'sarif', 'github', 'gitlab', 'junit']);
    for (const name of ['', 'toString', 'Json', '__proto__']) expect(isFormat(name)).toBe(false);
  });

  test.each(FORMATS)('%s ends in a line end or is empty, and writes 10,000 findings', (name) => {
    expect(format([], name)).toMatch(/^$|\n$/);
    const written = format(manyFindings(10_000), name, { source: () => 'fetch();\n'.repeat(200) });
    expect(written).toMatch(/\n$/);
    expect(written.split('io-in-workflow').length + written.split('PAWL3002').length).toBeGreaterThan(10_000);
  });

  test.each(FORMATS)('%s does nothing to a terminal, whatever texts hold', (name) => {
    const written = format(hostileFindings(), name, { source: () => SOURCE });
    // What GitHub takes raw it shows in a page.
    if (name !== 'github') expect(written).not.toMatch(/[\0-\x08\x0b-\x1f]/);
  });
});

test('tsc stays at one line a finding', () => {
  const lines = format(hostileFindings(), 'tsc').split('\n').slice(0, -1);
  expect(lines).toHaveLength(HOSTILE_FILES.length * HOSTILE_TEXTS.length);
  for (const line of lines) expect(line).toMatch(/^\S.*\(1,7\): (error|warning|info) PAWL3002: .+$/u);
});

describe('github', () => {
  interface Command {
    name: string;
    properties: Record<string, string>;
    data: string;
  }

  /** As the runner of GitHub Actions does. */
  function parse(line: string): Command {
    const [, name = '', list = '', data = ''] = /^::(\w+) (.*?)::([^]*)$/.exec(line) ?? [];
    const unescapeData = (value: string): string =>
      value.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
    const properties = list.split(',').map((pair) => {
      const [key = '', value = ''] = pair.split('=', 2);
      return [key, unescapeData(value.replaceAll('%3A', ':').replaceAll('%2C', ','))];
    });
    return { name, properties: Object.fromEntries(properties), data: unescapeData(data) };
  }

  test('is one command a finding', () => {
    expect(format([chained], 'github')).toBe(
      '::error file=src/quote.ts,line=3,endLine=3,col=22,endColumn=29,title=PAWL3002 io-in-workflow::' +
        'Workflow `quote` reaches `fetch`. (quote → priceOf (src/pricing.ts:1:39) → fetch) Move it into a step.\n',
    );
    const [info, warning] = (['info', 'warning'] as const).map((severity) =>
      format([{ ...chained, severity }], 'github'),
    );
    expect(info).toMatch(/^::notice /);
    expect(warning).toMatch(/^::warning /);
  });

  test('has no columns over several lines: GitHub refuses them', () => {
    const several = { ...chained, span: { ...chained.span, endLine: 5 } };
    expect(format([several], 'github')).toMatch(/^::error file=src\/quote\.ts,line=3,endLine=5,title=/);
  });

  test('is nothing for nothing', () => {
    expect(format([], 'github')).toBe('');
  });

  test('gives back what texts and file names hold; what a terminal would obey is written out', () => {
    const harmless = (value: string): string =>
      value
        .split(/([\r\n]+)/)
        .map((part, index) => (index % 2 === 1 ? part : visible(part)))
        .join('');
    const findings = hostileFindings();
    const report = format(findings, 'github');
    // oxlint-disable-next-line no-control-regex
    expect(report).not.toMatch(/[\u001b\u009b\u202e]/);
    const commands = report.split('\n').slice(0, -1).map(parse);
    expect(commands.map(({ data }) => data)).toEqual(findings.map(({ message }) => harmless(full(message))));
    expect(commands.map(({ properties }) => properties.file)).toEqual(findings.map(({ file }) => harmless(file)));
    expect(commands.every(({ properties }) => properties.title === 'PAWL3002 io-in-workflow')).toBe(true);
  });

  test('names files by their path in the repository', () => {
    expect(format([chained], 'github', { folder: 'packages/shop' })).toContain('file=packages/shop/src/quote.ts,');
  });
});

describe('gitlab', () => {
  interface Issue {
    description: string;
    check_name: string;
    fingerprint: string;
    severity: string;
    location: { path: string; lines: { begin: number; end: number } };
  }
  const issuesOf = (diagnostics: readonly Diagnostic[], options = {}): Issue[] =>
    JSON.parse(format(diagnostics, 'gitlab', options));

  test('has the fields that GitLab asks for', () => {
    expect(issuesOf([chained])).toEqual([
      {
        description:
          'Workflow `quote` reaches `fetch`. (quote → priceOf (src/pricing.ts:1:39) → fetch) Move it into a step.',
        check_name: 'PAWL3002 io-in-workflow',
        fingerprint: expect.stringMatching(/^[0-9a-f]{32}$/),
        severity: 'major',
        location: { path: 'src/quote.ts', lines: { begin: 3, end: 3 } },
      },
    ]);
    const severities = (['warning', 'info'] as const).flatMap((severity) => issuesOf([{ ...chained, severity }]));
    expect(severities.map(({ severity }) => severity)).toEqual(['minor', 'info']);
  });

  test('is an array for nothing', () => {
    expect(format([], 'gitlab')).toBe('[]\n');
  });

  test('keeps texts and file names, and a name for each finding', () => {
    const issues = issuesOf(hostileFindings(), { source: () => SOURCE });
    expect(issues.map(({ description }) => description)).toEqual(
      hostileFindings().map(({ message }) => wellFormed(full(message))),
    );
    expect(new Set(issues.map(({ location }) => location.path))).toEqual(new Set(HOSTILE_FILES.map(wellFormed)));
    expect(new Set(issues.map(({ fingerprint }) => fingerprint)).size).toBe(issues.length);
  });

  describe('fingerprints', () => {
    const code = 'await a();\n  fetch(x);\nawait b();\n  fetch(x);\n  fetch(y);\n';
    /** Of every `fetch` in a text. */
    const namesOf = (program: string, file = 'src/a.ts'): string[] => {
      const found = [...program.matchAll(/fetch/g)].map(({ index }) => {
        const line = program.slice(0, index).split('\n').length;
        return createDiagnostic('io-in-workflow', {
          file,
          span: { start: index, end: index + 5, line, column: 3, endLine: line, endColumn: 8 },
          message: `Workflow calls \`fetch\`, see src/b.ts:${line}:3 and src/b.ts(${line},3).`,
        });
      });
      return issuesOf(found, { source: () => program }).map(({ fingerprint }) => fingerprint);
    };

    test('differ, also on lines that are alike', () => {
      expect(new Set(namesOf(code)).size).toBe(3);
    });

    test('survive lines that come and go, and indentation', () => {
      expect(namesOf(`// one\n\n${code}`)).toEqual(namesOf(code));
      expect(namesOf(code.replaceAll('\n', '\r\n'))).toEqual(namesOf(code));
      expect(namesOf(code.replaceAll('  fetch', '\tfetch'))).toEqual(namesOf(code));
    });

    test('change with the line, the file and the rule', () => {
      const [first, second, third] = namesOf(code);
      expect(namesOf(code.replace('fetch(y)', 'fetch(z)'))).toEqual([
        first,
        second,
        expect.not.stringMatching(`^${third}$`),
      ]);
      expect(namesOf(code, 'src/b.ts')[0]).not.toBe(first);
    });
  });
});

describe('junit', () => {
  interface Element {
    name: string;
    attributes: Record<string, string>;
    text: string;
  }

  /** Every element of a document; throws where it is not well-formed. */
  function parse(document: string): Element[] {
    const parser = new SaxesParser();
    const found: Element[] = [];
    const open: Element[] = [];
    parser.on('error', (error) => {
      throw error;
    });
    parser.on('opentag', ({ name, attributes }) => {
      const element = { name, attributes: attributes as Record<string, string>, text: '' };
      found.push(element);
      open.push(element);
    });
    parser.on('text', (piece) => {
      const element = open.at(-1);
      if (element) element.text += piece;
    });
    parser.on('closetag', () => void open.pop());
    parser.write(document).close();
    return found;
  }
  const elements = (diagnostics: readonly Diagnostic[], name: string, options = {}): Element[] =>
    parse(format(diagnostics, 'junit', options)).filter((element) => element.name === name);

  test('has a suite for each file and a test for each finding; errors fail', () => {
    const findings = [chained, fixable, { ...fixable, severity: 'warning' as const }];
    expect(elements(findings, 'testsuites').map(({ attributes }) => attributes)).toEqual([
      { name: 'pawl', tests: '3', failures: '2', errors: '0' },
    ]);
    expect(elements(findings, 'testsuite').map(({ attributes }) => attributes)).toEqual([
      { name: 'src/quote.ts', tests: '1', failures: '1', errors: '0' },
      { name: 'src/pricing.ts', tests: '2', failures: '1', errors: '0' },
    ]);
    expect(elements(findings, 'testcase')[0]?.attributes).toEqual({
      name: 'PAWL3002 io-in-workflow (3:22)',
      classname: 'src/quote.ts',
      file: 'src/quote.ts',
      line: '3',
    });
    expect(elements(findings, 'failure').map(({ attributes }) => attributes.type)).toEqual(['PAWL3002', 'PAWL1002']);
    expect(elements(findings, 'system-out').map(({ text }) => text)).toEqual([
      'src/pricing.ts:1:14 warning Not\nasync.',
    ]);
  });

  test('has a test that passes for nothing', () => {
    expect(elements([], 'testcase').map(({ attributes }) => attributes.name)).toEqual(['no findings']);
    expect(elements([], 'testsuites')[0]?.attributes).toMatchObject({ tests: '1', failures: '0' });
  });

  test('is well-formed whatever texts and file names hold, and gives them back', () => {
    const findings = hostileFindings();
    const cleaned = (value: string): string =>
      wellFormed(value).replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '\ufffd');
    const errors = findings.filter(({ severity }) => severity === 'error');
    expect(elements(findings, 'failure').map(({ attributes }) => attributes.message)).toEqual(
      errors.map(({ message }) => cleaned(full(message))),
    );
    expect(elements(findings, 'testsuite').map(({ attributes }) => attributes.name)).toEqual(
      HOSTILE_FILES.map(cleaned),
    );
  });

  test('the parser of this test refuses what is not well-formed', () => {
    for (const broken of ['<a>', '<a b="<"/>', '<a>\u0001</a>', '<a>&#1;</a>', '<a>&b;</a>']) {
      expect(() => parse(broken)).toThrow(/./);
    }
  });
});

describe('pretty', () => {
  test('writes out what would act on a terminal, and underlines the right place', () => {
    const line = "const a = '\u001b[31m'; fetch(a);";
    const start = line.indexOf('fetch');
    const finding = createDiagnostic('io-in-workflow', {
      file: 'src/a.ts',
      span: { start, end: start + 5, line: 1, column: start + 1, endLine: 1, endColumn: start + 6 },
      message: 'In \u001b[2J here.',
    });
    expect(format([finding], 'pretty', { source: () => line })).toContain(
      `  In \\u{1b}[2J here.\n\n  > 1 | const a = '\\u{1b}[31m'; fetch(a);\n      | ${' '.repeat(24)}^^^^^\n`,
    );
  });
});
