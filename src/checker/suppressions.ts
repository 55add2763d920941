import type { ModuleFacts, SuppressionFact } from '../compiler/facts.ts';
import { CODES, type RuleName } from '../diagnostics/codes.ts';
import { createDiagnostic } from '../diagnostics/create.ts';
import { findRule, suggestRule } from '../diagnostics/lookup.ts';
import type { Diagnostic, Fix, Span } from '../diagnostics/types.ts';
import { RULES } from '../rules/index.ts';
import type { ChainSuppressions } from './reach.ts';
import type { RuleSettings } from './settings.ts';

const ABOUT_COMMENTS: ReadonlySet<RuleName> = new Set([
  'unused-suppression',
  'suppression-without-reason',
  'unknown-suppression-code',
]);

interface Entry {
  file: string;
  fact: SuppressionFact;
  index: number;
  code: string;
  span: Span;
  /** Null for a code that does not exist. */
  rule: RuleName | null;
  used: boolean;
}

/** `// pawl-ignore PAWL3002 -- reason`: which findings they hold back, and what is wrong with the comments themselves. */
export class Suppressions implements ChainSuppressions {
  readonly #facts: { file: string; fact: SuppressionFact }[] = [];
  readonly #entries: Entry[] = [];
  readonly #byPlace = new Map<string, Entry[]>();
  /** What may be meant as a reason: it stands behind a colon. */
  readonly #words = new Map<SuppressionFact, string>();

  add({ file, suppressions }: ModuleFacts): void {
    for (const written of suppressions) {
      const { fact, words } = withoutColon(written);
      if (words !== null) this.#words.set(fact, words);
      this.#facts.push({ file, fact });
      for (const [index, { code, span }] of fact.codes.entries()) {
        const rule = findRule(code)?.name ?? null;
        const entry: Entry = { file, fact, index, code, span, rule, used: false };
        this.#entries.push(entry);
        if (rule === null) continue;
        const key = keyOf(file, fact.line, rule);
        const list = this.#byPlace.get(key);
        if (list) list.push(entry);
        else this.#byPlace.set(key, [entry]);
      }
    }
  }

  covers(file: string, line: number, rule: RuleName): boolean {
    return this.#byPlace.has(keyOf(file, line, rule));
  }

  markUsed(file: string, line: number, rule: RuleName): void {
    for (const entry of this.#byPlace.get(keyOf(file, line, rule)) ?? []) entry.used = true;
  }

  /** The findings that no comment holds back; comments that hold back one are used. */
  apply(diagnostics: Iterable<Diagnostic>): Diagnostic[] {
    const kept: Diagnostic[] = [];
    for (const diagnostic of diagnostics) {
      const found = findRule(diagnostic.code);
      const { file, span } = diagnostic;
      if (found?.info.suppressible && this.covers(file, span.line, found.name))
        this.markUsed(file, span.line, found.name);
      else kept.push(diagnostic);
    }
    return kept;
  }

  /**
   * Findings about the comments. To be asked last, when all else has been through `apply`.
   *
   * @param settings - rules that are off say nothing about whether a comment would be needed
   */
  findings(settings: RuleSettings): Diagnostic[] {
    const unused = (aboutComments: boolean): Diagnostic[] =>
      this.#entries
        .filter(({ rule, used, file }) => rule !== null && !used && settings.levelOf(rule, file) !== 'off')
        .filter(({ rule }) => !leftToBuild(rule as RuleName))
        .filter(({ rule }) => ABOUT_COMMENTS.has(rule as RuleName) === aboutComments)
        .map(unusedDiagnostic);
    const first = this.apply([...this.#withoutReason(), ...this.#unknown(), ...unused(false)]);
    return [...first, ...this.apply(unused(true))];
  }

  #withoutReason(): Diagnostic[] {
    return this.#facts
      .filter(({ fact }) => fact.reason.trim() === '' && fact.codes.length > 0)
      .map(({ file, fact }) =>
        createDiagnostic('suppression-without-reason', {
          file,
          span: fact.span,
          message: 'This suppression does not say why.',
          remedy: `Write the reason behind two hyphens: \`pawl-ignore ${fact.codes.map(({ code }) => code).join(', ')} -- ${this.#words.get(fact) || '…'}\`.`,
        }),
      );
  }

  #unknown(): Diagnostic[] {
    const unknown = this.#entries
      .filter(({ rule }) => rule === null)
      .map(({ file, code, span }) => {
        const suggestion = suggestRule(code);
        return createDiagnostic('unknown-suppression-code', {
          file,
          span,
          message: `There is no rule \`${code}\`, so this suppresses nothing.`,
          remedy: suggestion === null ? undefined : `Did you mean \`${suggestion}\`?`,
        });
      });
    const empty = this.#facts
      .filter(({ fact }) => fact.codes.length === 0)
      .map(({ file, fact }) =>
        createDiagnostic('unknown-suppression-code', {
          file,
          span: fact.span,
          message: 'This suppression names no code, so it suppresses nothing.',
          remedy: 'Name the codes: `pawl-ignore PAWL3002 -- reason`.',
        }),
      );
    return [...unknown, ...empty];
  }
}

/** `PAWL3002: reason` names one code; what follows the colon is a reason in the wrong place, and no codes. */
function withoutColon(fact: SuppressionFact): { fact: SuppressionFact; words: string | null } {
  const at = fact.reason === '' ? fact.codes.findIndex(({ code }) => /.:$/.test(code)) : -1;
  const last = fact.codes[at];
  if (!last) return { fact, words: null };
  const { start, end, endColumn } = last.span;
  const code = last.code.slice(0, -1);
  const span = { ...last.span, start, end: end - 1, endColumn: endColumn - 1 };
  const words = fact.codes.slice(at + 1).map((each) => each.code);
  return { fact: { ...fact, codes: [...fact.codes.slice(0, at), { code, span }] }, words: words.join(' ') };
}

const BUILD: ReadonlySet<string | undefined> = new Set(['bundler', 'compat']);

/** Whether only a build can tell if the comment is needed. */
function leftToBuild(rule: RuleName): boolean {
  return CODES[rule].suppressible && BUILD.has(RULES.find(({ name }) => name === rule)?.by);
}

function keyOf(file: string, line: number, rule: RuleName): string {
  return `${file}\0${line}\0${rule}`;
}

function unusedDiagnostic(entry: Entry): Diagnostic {
  const { file, code, span, rule } = entry;
  const suppressible = rule !== null && findRule(rule)?.info.suppressible;
  return createDiagnostic('unused-suppression', {
    file,
    span,
    message: suppressible
      ? `\`${code}\` is not reported here, so this suppresses nothing.`
      : `\`${code}\` cannot be suppressed: what it finds cannot be compiled.`,
    fix: removal(entry),
  });
}

/** Takes the code away, or the whole comment where it is the only one. */
function removal({ fact, index }: Entry): Fix {
  const { codes, span } = fact;
  if (codes.length === 1)
    return { title: 'Remove the suppression', edits: [{ start: span.start, end: span.end, text: '' }] };
  const own = codes[index] as SuppressionFact['codes'][number];
  const next = codes[index + 1];
  const before = codes[index - 1];
  const start = next ? own.span.start : (before?.span.end ?? own.span.start);
  const end = next ? next.span.start : own.span.end;
  return { title: `Remove ${own.code}`, edits: [{ start, end, text: '' }] };
}
