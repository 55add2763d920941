import { findRule } from '../diagnostics/lookup.ts';
import type { Diagnostic, Span } from '../diagnostics/types.ts';
import type { ModuleFacts } from '../compiler/index.ts';
import { describeModuleDirective, describeOption, describeRule, describeSubject, type Link } from './describe.ts';
import type { Subjects, Target } from './subjects.ts';

/** What an editor shows of a place: Markdown, and the text that it speaks of. */
export interface HoverText {
  markdown: string;
  span: Span;
}

export interface HoverQuestion {
  file: string;
  offset: number;
  facts: ModuleFacts | null;
  /** Of that file. */
  diagnostics: readonly Diagnostic[];
  subjects: Subjects;
  link: Link;
}

/**
 * Explains what stands at a place: a directive, a step, workflow, action or agent and mentions of them, an option of a step, a code
 * in a suppression; and the rules of findings there.
 *
 * @returns null where pawl has nothing to say
 */
export function hoverAt({ file, offset, facts, diagnostics, subjects, link }: HoverQuestion): HoverText | null {
  const found = diagnostics.filter(({ span }) => span.start <= offset && offset <= Math.max(span.end, span.start + 1));
  const rules = new Map(found.map(({ code, span }) => [findRule(code)?.name, span] as const));
  const parts: HoverText[] = [];
  const target = subjects.at(file, offset);
  const described = target && describeTarget(target, offset, subjects, link);
  if (described) parts.push(described);
  const suppressed = suppressedCode(facts, offset);
  if (suppressed) parts.push(suppressed);
  for (const [name, span] of rules) if (name) parts.push({ markdown: describeRule(name), span });
  const [first] = parts;
  return first ? { markdown: parts.map((part) => part.markdown).join('\n\n---\n\n'), span: first.span } : null;
}

function describeTarget(target: Target, offset: number, subjects: Subjects, link: Link): HoverText | null {
  const { part, span } = target;
  if (part === 'module-directive') return { markdown: describeModuleDirective(target.module, subjects, link), span };
  if (part === 'option') {
    // The option's name is the last thing in `charge.maxRetries`; before it stands the step's.
    const width = target.option.length;
    const markdown = offset < span.end - width ? null : describeOption(target.option);
    const columns = { column: span.endColumn - width, line: span.endLine };
    if (markdown) return { markdown, span: { ...span, ...columns, start: span.end - width } };
  }
  return { markdown: describeSubject(target.subject, subjects, link), span };
}

/** The rule behind `PAWL3002` in `// pawl-ignore PAWL3002 -- reason`. */
function suppressedCode(facts: ModuleFacts | null, offset: number): HoverText | null {
  for (const { codes } of facts?.suppressions ?? []) {
    for (const { code, span } of codes) {
      const rule = span.start <= offset && offset <= span.end ? findRule(code) : null;
      if (rule) return { markdown: describeRule(rule.name), span };
    }
  }
  return null;
}
