import { stripVTControlCharacters } from 'node:util';
import type { Example, Rule } from '../../rules/index.ts';
import type { CodeInfo } from '../../diagnostics/index.ts';
import { PawlError } from '../../errors.ts';
import { defineCommand, JSON_OPTION } from '../command.ts';
import type { Colors, Output } from '../output.ts';

/** Text wider than this is hard to read, however wide the terminal is. */
const MAX_COLUMNS = 100;

/** `pawl explain`: the documentation of a rule, or the list of all. */
export const explainCommand = defineCommand({
  name: 'explain',
  positionals: '[rule]',
  description: "Show a rule's documentation, by code or name",
  options: { ...JSON_OPTION },
  examples: [
    { line: 'pawl explain PAWL3002', does: 'what the code means, and what to write instead' },
    { line: 'pawl explain io-in-workflow', does: 'the same, by name' },
    { line: 'pawl explain', does: 'all rules' },
  ],
  async run({ args, out }) {
    const { docsUrl, optionsOf, RULES } = await import('../../rules/index.ts');
    const facts = (rule: Rule): object => {
      const { name, description, explanation, bad, good, fixable } = rule;
      const options = optionsOf(rule).map((option) => ({ ...option, default: JSON.parse(option.default) as unknown }));
      return { name, description, explanation, bad, good, fixable: fixable === true, options, url: docsUrl(name) };
    };
    const { CODES, findRule, suggestRule } = await import('../../diagnostics/index.ts');
    const [wanted] = args;
    if (wanted === undefined) {
      if (out.json) out.printJson(RULES.map((rule) => ({ ...CODES[rule.name], ...facts(rule) })));
      else for (const rule of RULES) out.line(listLine(rule, CODES[rule.name], out.colors));
      return 0;
    }
    const found = findRule(wanted);
    const rule = found && RULES.find(({ name }) => name === found.name);
    if (!found || !rule) {
      const meant = suggestRule(wanted);
      throw new PawlError('PAWL_UNKNOWN_RULE', `There is no rule \`${wanted}\`.`, {
        remedy: meant ? `Did you mean \`pawl explain ${meant}\`?` : 'Run `pawl explain` for the list.',
      });
    }
    if (out.json) out.printJson({ ...found.info, ...facts(rule) });
    else await printRule(rule, found.info, out);
    return 0;
  },
});

function listLine({ name, description }: Rule, { code, severity, optIn }: CodeInfo, c: Colors): string {
  return `${c.bold(code)}  ${(optIn ? 'off' : severity).padEnd(7)}  ${c.cyan(name.padEnd(27))}  ${description}`;
}

async function printRule(rule: Rule, { code, severity, suppressible, optIn }: CodeInfo, out: Output): Promise<void> {
  const c = out.colors;
  const width = Math.min(out.columns, MAX_COLUMNS);
  const paragraph = (title: string, text: string): string => `${c.bold(title)}\n${wrap(plain(text, c), width, '  ')}`;
  const { optionsExample, optionsOf } = await import('../../rules/index.ts');
  const notes = [
    severity,
    optIn ? 'off unless it is set' : '',
    rule.fixable ? 'with a fix' : '',
    suppressible ? '' : 'cannot be suppressed',
  ].filter(Boolean);
  const options = optionsOf(rule).map(({ name, default: value, description }) =>
    wrap(`${c.cyan(name)} (${value}) ${plain(description, c)}`, width, '  '),
  );
  const { mistake, why, allowed, unseen } = rule.explanation;
  out.line(
    [
      `${c.bold(code)} ${c.cyan(rule.name)} ${c.dim(`(${notes.join(', ')})`)}\n${wrap(`${plain(rule.description, c)}.`, width, '')}`,
      paragraph('What it catches', mistake),
      paragraph('Why', why),
      paragraph('Allowed', allowed),
      paragraph('Not seen', unseen),
      `${c.bold(c.red('Reported'))}\n${await codeOf(rule.bad, c)}`,
      `${c.bold(c.green('Instead'))}\n${await codeOf(rule.good, c)}`,
      ...(options.length === 0
        ? []
        : [`${c.bold('Options')}\n  ${c.dim(optionsExample(rule))}\n${options.join('\n')}`]),
    ].join('\n\n'),
  );
}

async function codeOf(example: Example, c: Colors): Promise<string> {
  const { exampleFiles } = await import('../../rules/index.ts');
  return exampleFiles(example)
    .map(({ file, text }) => {
      const lines = text
        .trimEnd()
        .split('\n')
        .map((line) => (line === '' ? '' : `    ${line}`));
      return [...(file === null ? [] : [c.dim(`  ${file}`)]), ...lines].join('\n');
    })
    .join('\n\n');
}

/** Markdown's code spans, in colour where there is colour; else the backticks stay. */
function plain(text: string, c: Colors): string {
  return c.isColorSupported ? text.replace(/`([^`]+)`/g, (_, inner: string) => c.cyan(inner)) : text;
}

function wrap(text: string, width: number, indent: string): string {
  const lines: string[] = [];
  let line = indent;
  let shown = indent.length;
  for (const word of text.split(' ')) {
    // Colours take no room.
    const length = stripVTControlCharacters(word).length;
    if (shown > indent.length && shown + 1 + length > width) {
      lines.push(line);
      line = indent;
      shown = indent.length;
    }
    const gap = shown > indent.length ? ' ' : '';
    line += gap + word;
    shown += gap.length + length;
  }
  return [...lines, line].join('\n');
}
