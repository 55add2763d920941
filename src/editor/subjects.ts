import type { Program } from '../checker/index.ts';
import type { DefinitionFact, FunctionFact, ModuleFacts, Unit, Use } from '../compiler/index.ts';
import { compareText } from '../diagnostics/order.ts';
import { Positions } from '../diagnostics/positions.ts';
import type { Span } from '../diagnostics/types.ts';

/**
 * Glossary of the editor's side.
 *
 * - **subject**: something that a person points at: a step, a workflow, an action or an agent, in whichever style it is written.
 * - **call**: a place in code at which a subject is called or passed on.
 * - **reach**: the steps that a workflow may call, itself or through helpers, and the calls that do so.
 * - **place**: a file and a span in it.
 */

export interface Subject {
  kind: 'step' | 'workflow' | 'action' | 'agent';
  /** The id in the manifest: `src/orders.ts#charge`, or the slug of a definition. */
  id: string;
  name: string;
  file: string;
  /** The whole function or definition. */
  span: Span;
  /** Its name, or its first token. */
  nameSpan: Span;
  module: ModuleFacts;
  /** The code of it; null for agents, and definitions without `run`. */
  unit: Unit | null;
  source: { style: 'directive'; fact: FunctionFact } | { style: 'definition'; fact: DefinitionFact };
}

export interface PlaceOfCall {
  file: string;
  span: Span;
  /** The unit that the call stands in: the workflow's own, or a helper's. */
  unit: Unit;
}

export interface Reached {
  step: Subject;
  calls: PlaceOfCall[];
}

/** What a person points at, and which part of it. */
export type Target =
  /** The directive, the name, the slug of a subject. */
  | { part: 'directive' | 'name' | 'slug'; subject: Subject; span: Span }
  /** A mention of a subject somewhere. */
  | { part: 'mention'; subject: Subject; span: Span }
  /** `charge.maxRetries`, where it is set. */
  | { part: 'option'; subject: Subject; option: string; span: Span }
  /** A directive for a whole module. */
  | { part: 'module-directive'; module: ModuleFacts; span: Span };

/** Units that run at a level of their own: a call of one is an entry in the event log, not a call into its code. */
const LEVELS: ReadonlySet<Unit['kind']> = new Set(['workflow', 'workflow-definition', 'step', 'action', 'agent']);

const AGENT_ENTRY = /^(?:pawl|@workflow\/ai)\/agent$/;

/** Members of a step, an action or an agent that are a call of it. */
const CALLING = /^(?:call|apply|bind|run|prompt)$/;

/** The files of a program, also those that the check had no need of. */
export interface ProgramFiles {
  facts(file: string): ModuleFacts | null;
  text(file: string): string | null;
}

/** Asks the facts of one check: what stands where, and what reaches what. Answers are kept. */
export class Subjects {
  readonly #program: Program;
  readonly #files: ProgramFiles;
  readonly #byModule = new Map<ModuleFacts, Subject[]>();
  readonly #owners = new Map<Unit | DefinitionFact, Subject>();
  readonly #reached = new Map<Subject, Reached[]>();
  #callers: Map<Subject, { workflow: Subject; calls: PlaceOfCall[] }[]> | null = null;

  /** @param program - as of the last check */
  constructor(program: Program, files: ProgramFiles) {
    this.#program = program;
    this.#files = files;
  }

  /** All subjects of the program, by file and place. */
  all(): Subject[] {
    return this.#program.modules.flatMap((module) => this.#of(module));
  }

  /** The subjects that a file declares, in the order of the text. */
  in(file: string): Subject[] {
    const module = this.#files.facts(file);
    return module ? this.#of(module) : [];
  }

  /** What stands at an offset; the innermost where several do. */
  at(file: string, offset: number): Target | null {
    const module = this.#files.facts(file);
    if (!module) return null;
    const inside = ({ start, end }: Span): boolean => start <= offset && offset <= end;
    for (const subject of this.#of(module)) {
      const { source } = subject;
      if (source.style === 'directive') {
        if (!source.fact.fromModule && inside(source.fact.directiveSpan)) {
          return { part: 'directive', subject, span: source.fact.directiveSpan };
        }
      } else if (source.fact.slugSpan && inside(source.fact.slugSpan)) {
        return { part: 'slug', subject, span: source.fact.slugSpan };
      }
      if (inside(subject.nameSpan)) return { part: 'name', subject, span: subject.nameSpan };
    }
    if (module.directive && inside(module.directive.span)) {
      return { part: 'module-directive', module, span: module.directive.span };
    }
    return this.#mention(module, inside);
  }

  /** The steps that a workflow may call, sorted by id. */
  reachedBy(workflow: Subject): Reached[] {
    let reached = this.#reached.get(workflow);
    if (!reached) {
      reached = this.#reach(workflow);
      this.#reached.set(workflow, reached);
    }
    return reached;
  }

  /** The workflows that may call a step, sorted by id, and where they do. */
  callersOf(step: Subject): { workflow: Subject; calls: PlaceOfCall[] }[] {
    this.#callers ??= this.#allCallers();
    return this.#callers.get(step) ?? [];
  }

  #mention(module: ModuleFacts, inside: (span: Span) => boolean): Target | null {
    let best: { target: Target; width: number } | null = null;
    for (const unit of module.units) {
      for (const use of unit.uses) {
        if (!inside(use.span)) continue;
        const found = this.#target(module, use);
        if (!found) continue;
        const width = use.span.end - use.span.start;
        if (best && best.width <= width) continue;
        const option = use.access === 'write' ? found.rest[0] : undefined;
        const { subject } = found;
        const { span } = use;
        best = {
          width,
          target: option ? { part: 'option', subject, option, span } : { part: 'mention', subject, span },
        };
      }
    }
    return best?.target ?? null;
  }

  #of(module: ModuleFacts): Subject[] {
    let subjects = this.#byModule.get(module);
    if (!subjects) {
      subjects = subjectsOf(module, this.#files.text(module.file) ?? '');
      this.#byModule.set(module, subjects);
      for (const subject of subjects) {
        const { unit, source } = subject;
        if (source.style === 'definition') this.#owners.set(source.fact, subject);
        else if (unit) this.#owners.set(unit, subject);
      }
    }
    return subjects;
  }

  /** The subject that a use leads to, and the members behind it. */
  #target(module: ModuleFacts, use: Use): { subject: Subject; rest: readonly string[] } | null {
    const reference = this.#program.resolve(module, use);
    if (reference.kind !== 'unit' && reference.kind !== 'definition') return null;
    this.#of(reference.module);
    const subject = this.#owners.get(reference.kind === 'unit' ? reference.unit : reference.definition);
    return subject ? { subject, rest: reference.rest } : null;
  }

  #reach(workflow: Subject): Reached[] {
    const { module, unit } = workflow;
    if (!unit) return [];
    const found = new Map<Subject, Reached>();
    const places = [...this.#program.reach({ module, unit }, (target) => !LEVELS.has(target.unit.kind))];
    const seen = new Set<Unit>();
    for (let index = 0; index < places.length; index++) {
      const place = places[index] as (typeof places)[number];
      for (const use of place.unit.uses) {
        if (use.access === 'write') continue;
        for (const member of this.#tools(place.module, use, seen)) {
          places.push(...this.#program.reach(member, (target) => !LEVELS.has(target.unit.kind)));
        }
        const target = this.#target(place.module, use);
        if (!target || target.subject.kind === 'workflow') continue;
        if (target.rest.length > 0 && !CALLING.test(target.rest[0] as string)) continue;
        const call = { file: place.module.file, span: use.span, unit: place.unit };
        const reached = found.get(target.subject);
        if (reached) reached.calls.push(call);
        else found.set(target.subject, { step: target.subject, calls: [call] });
      }
    }
    return [...found.values()].sort((a, b) => compareText(a.step.id, b.step.id));
  }

  /** An agent gets its tools as a whole, and calls what is in them. */
  #tools(module: ModuleFacts, use: Use, seen: Set<Unit>): { module: ModuleFacts; unit: Unit }[] {
    if (!module.imports.some(({ source }) => AGENT_ENTRY.test(source))) return [];
    const reference = this.#program.resolve(module, use);
    if (reference.kind !== 'unit' || reference.unit.kind !== 'variable' || seen.has(reference.unit)) return [];
    seen.add(reference.unit);
    const prefix = `${reference.unit.path}.`;
    return reference.module.units
      .filter(({ path, kind }) => path.startsWith(prefix) && !LEVELS.has(kind))
      .map((unit) => ({ module: reference.module, unit }));
  }

  #allCallers(): Map<Subject, { workflow: Subject; calls: PlaceOfCall[] }[]> {
    const callers = new Map<Subject, { workflow: Subject; calls: PlaceOfCall[] }[]>();
    const workflows = this.all().filter(({ kind }) => kind === 'workflow');
    for (const workflow of workflows.sort((a, b) => compareText(a.id, b.id))) {
      for (const { step, calls } of this.reachedBy(workflow)) {
        const list = callers.get(step);
        if (list) list.push({ workflow, calls });
        else callers.set(step, [{ workflow, calls }]);
      }
    }
    return callers;
  }
}

function subjectsOf(module: ModuleFacts, text: string): Subject[] {
  const { file } = module;
  const positions = new Positions(text);
  const found: Subject[] = [];
  for (const fact of module.functions) {
    const { kind, id, name, span } = fact;
    const unit = module.units[fact.unit] ?? null;
    const nameSpan = nameBefore(fact, text, positions);
    found.push({ kind, id, name, file, span, nameSpan, module, unit, source: { style: 'directive', fact } });
  }
  for (const fact of module.definitions) {
    const { kind, slug, span, nameSpan } = fact;
    if (kind === 'credential' || slug === null) continue;
    const name = fact.name ?? fact.local ?? slug;
    const unit = fact.unit === null ? null : (module.units[fact.unit] ?? null);
    found.push({ kind, id: slug, name, file, span, nameSpan, module, unit, source: { style: 'definition', fact } });
  }
  return found.sort((a, b) => a.span.start - b.span.start);
}

/** The name that a function was given from outside: facts point at the `async` of `const tell = async () => {}`. */
function nameBefore({ name, nameSpan, span }: FunctionFact, text: string, positions: Positions): Span {
  if (nameSpan.start !== span.start) return nameSpan;
  const before = text.slice(Math.max(0, span.start - LONGEST_HEAD), span.start);
  const word = name.replace(/[^\w]/g, '\\$&');
  const match = new RegExp(`(?<![\\w$])${word}(?![\\w$])(?:\\s*[!?]?:(?:[^=;]|=>)*)?\\s*[=:]\\s*(?:\\(\\s*)*$`).exec(
    before,
  );
  if (!match) return nameSpan;
  const start = span.start - before.length + match.index;
  return positions.span(start, start + name.length);
}

/** How far before a function its name is looked for. */
const LONGEST_HEAD = 300;
