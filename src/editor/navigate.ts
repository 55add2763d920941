import { compareText, plural } from '../diagnostics/order.ts';
import type { Span } from '../diagnostics/types.ts';
import type { Subject, Subjects } from './subjects.ts';

export interface Place {
  /** Path relative to the root. */
  file: string;
  span: Span;
}

/** A line above a step or a workflow that says how it is connected. */
export interface Lens {
  /** `3 steps`, `used by 2 workflows`. */
  title: string;
  span: Span;
  /** What it leads to. */
  targets: NamedPlace[];
}

export interface NamedPlace extends Place {
  name: string;
}

/**
 * Where one gets from a directive or a slug: from a workflow's to the steps that it reaches, from another's to what it belongs to.
 * Where names are declared the editor knows anyway, and would show both.
 */
export function definitionsAt(file: string, offset: number, subjects: Subjects): Place[] {
  const target = subjects.at(file, offset);
  if (target?.part === 'module-directive') return subjects.in(file).map(placeOf);
  if (target?.part !== 'directive' && target?.part !== 'slug') return [];
  const { subject } = target;
  return subject.kind === 'workflow' ? stepsOf(subject, subjects) : [placeOf(subject)];
}

/**
 * For a workflow the steps that it reaches; for a step, an action or an agent the places at which workflows and their helpers call
 * it.
 *
 * @param declaration - whether what it is about is among them
 */
export function referencesAt(file: string, offset: number, subjects: Subjects, declaration: boolean): Place[] {
  const target = subjects.at(file, offset);
  if (!target) return [];
  const about = target.part === 'module-directive' ? subjects.in(file) : [target.subject];
  const found = about.flatMap((subject) => [
    ...(declaration ? [placeOf(subject)] : []),
    ...(subject.kind === 'workflow' ? stepsOf(subject, subjects) : callsOf(subject, subjects)),
  ]);
  return unique(found);
}

/** One lens for each workflow, and for each step that a workflow is seen to use. */
export function lensesOf(file: string, subjects: Subjects): Lens[] {
  return subjects.in(file).flatMap((subject): Lens[] => {
    const { kind, nameSpan: span } = subject;
    if (kind === 'workflow') {
      const targets = subjects.reachedBy(subject).map(({ step }) => namedPlaceOf(step));
      return [{ title: plural(targets.length, 'step'), span, targets }];
    }
    // That nobody calls it may only mean that the call cannot be seen.
    const targets = subjects.callersOf(subject).map(({ workflow }) => namedPlaceOf(workflow));
    return targets.length === 0 ? [] : [{ title: `used by ${plural(targets.length, 'workflow')}`, span, targets }];
  });
}

/** Subjects whose id or name has the letters of a query in their order, as editors match names. */
export function searchSubjects(query: string, subjects: Subjects): Subject[] {
  const letters = [...query.toLowerCase()];
  return subjects.all().filter(({ id, name }) => {
    const text = `${name} ${id}`.toLowerCase();
    let at = -1;
    return letters.every((letter) => (at = text.indexOf(letter, at + 1)) >= 0);
  });
}

function stepsOf(workflow: Subject, subjects: Subjects): Place[] {
  return subjects.reachedBy(workflow).map(({ step }) => placeOf(step));
}

function callsOf(step: Subject, subjects: Subjects): Place[] {
  return unique(subjects.callersOf(step).flatMap(({ calls }) => calls.map(({ file, span }) => ({ file, span }))));
}

function placeOf({ file, nameSpan }: Subject): Place {
  return { file, span: nameSpan };
}

function namedPlaceOf(subject: Subject): NamedPlace {
  return { ...placeOf(subject), name: subject.id };
}

function unique(places: readonly Place[]): Place[] {
  const byPlace = new Map(places.map((place) => [`${place.file}\0${place.span.start}\0${place.span.end}`, place]));
  return [...byPlace.values()].sort((a, b) => compareText(a.file, b.file) || a.span.start - b.span.start);
}
