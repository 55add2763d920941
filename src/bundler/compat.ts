import { createDiagnostic, type DiagnosticInput } from '../diagnostics/create.ts';
import { sortDiagnostics } from '../diagnostics/order.ts';
import { Positions } from '../diagnostics/positions.ts';
import type { Diagnostic, Span } from '../diagnostics/types.ts';
import { withSeverities } from '../checker/check-program.ts';
import { type CheckerConfig, checkConfig } from '../checker/config.ts';
import type { RuleName } from '../diagnostics/codes.ts';
import { compareManifests, type Manifest, type ManifestDifference, type ManifestSpan } from '../manifest/index.ts';
import { hashSource } from './files.ts';
import { type Listing, pinFix, pinRemedy, pinSomewhere } from './pins.ts';

/** Text of a file of the project; null where there is none. */
type ReadSource = (file: string) => string | null;

/**
 * Says of a build what it would do to runs that are in flight on a deployed one.
 *
 * @param deployed - manifest of the deployed build
 * @param next - manifest of this build
 * @param config - severities by rule
 * @param source - text of a file, for places; `next` knows them by line and column
 * @returns findings of the rules 8001 to 8004, sorted
 * @example
 * const { output } = await build({ root, write: false });
 * const findings = checkCompat(readManifest('deployed'), output.manifest, {}, (file) => readFileSync(file, 'utf8'));
 */
export function checkCompat(
  deployed: Manifest,
  next: Manifest,
  config: CheckerConfig,
  source: ReadSource,
): Diagnostic[] {
  const found = compareManifests(deployed, next).map((difference) => describe(difference, deployed, next, source));
  return sortDiagnostics(withSeverities(found, checkConfig(config)));
}

/** Runs of a store that are not at their end, and the manifest of the build that they are on. */
export interface InFlight {
  /** Null when the store does not know it. */
  deployed: Manifest | null;
  runs: readonly {
    id: string;
    workflowId: string;
    /** Steps that it has asked for and that have no result yet. */
    pending: readonly string[];
    /** It has not begun: it will begin on the new code. */
    fresh: boolean;
  }[];
}

/**
 * Says of a build which of the runs in a store it would park.
 *
 * @param groups - runs in flight by the build that they are on
 * @param next - manifest of this build
 * @param config - severities by rule
 * @param source - text of a file, for places
 * @returns findings of the rules 8001, 8002 and 8004, each with the runs that it concerns, sorted
 * @example
 * const findings = checkInFlight([{ deployed, runs: [{ id: 'A-1', workflowId: 'src/a.ts#f', pending: [], fresh: false }] }], next, {}, read);
 */
export function checkInFlight(
  groups: readonly InFlight[],
  next: Manifest,
  config: CheckerConfig,
  source: ReadSource,
): Diagnostic[] {
  const concerned = new Map<string, { found: Diagnostic; runs: Set<string> }>();
  const add = (found: Diagnostic, runs: readonly string[]): void => {
    const known = concerned.get(found.message);
    if (known) for (const id of runs) known.runs.add(id);
    else if (runs.length > 0) concerned.set(found.message, { found, runs: new Set(runs) });
  };
  for (const { deployed, runs } of groups) {
    const begun = runs.filter(({ fresh }) => !fresh);
    for (const { id, workflowId, fresh } of runs) {
      if (!fresh || Object.hasOwn(next.workflows, workflowId)) continue;
      const difference = { kind: 'id-removed', what: 'workflow', id: workflowId, renamed: null } as const;
      add(describe(difference, next, next, source), [id]);
    }
    const before = deployed ?? { ...next, steps: {}, workflows: {}, classes: {} };
    for (const difference of compareManifests(before, next)) {
      // Runs in flight stay on the workflow code that they began with.
      if (
        difference.kind === 'sequence-changed' ||
        (difference.kind === 'id-removed' && difference.what === 'workflow')
      )
        continue;
      const reaches = ({ workflowId }: { workflowId: string }): boolean =>
        difference.kind === 'class-removed' ||
        (difference.kind === 'schema-break' && difference.what === 'workflow'
          ? workflowId === difference.id
          : before.workflows[workflowId]?.steps.includes(difference.id) === true);
      add(
        describe(difference, before, next, source),
        begun.filter(reaches).map(({ id }) => id),
      );
    }
    // Whatever the manifest says, and where none is known: what a run waits for has to be there.
    for (const { id, pending } of begun) {
      for (const step of pending) {
        if (Object.hasOwn(next.steps, step) || Object.hasOwn(before.steps, step)) continue;
        const difference = { kind: 'id-removed', what: 'step', id: step, renamed: null } as const;
        add(describe(difference, before, next, source), [id]);
      }
    }
  }
  const found = [...concerned.values()].map(({ found: each, runs }) => ({
    ...each,
    message: `${each.message} In flight: ${shortList([...runs])}.`,
  }));
  return sortDiagnostics(withSeverities(found, checkConfig(config)));
}

/** How many runs a message names. */
const NAMED = 3;

function shortList(ids: readonly string[]): string {
  const rest = ids.length - NAMED;
  return ids.slice(0, NAMED).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

function describe(difference: ManifestDifference, deployed: Manifest, next: Manifest, source: ReadSource): Diagnostic {
  const { id } = difference;
  const at = (place: { file: string; span: ManifestSpan } | undefined): Pick<DiagnosticInput, 'file' | 'span'> => {
    const file = place?.file ?? '';
    return { file, span: spanIn(source(file), place?.span) };
  };
  const say = (rule: RuleName, input: DiagnosticInput): Diagnostic => createDiagnostic(rule, input);
  switch (difference.kind) {
    case 'id-removed': {
      const { what } = difference;
      const key = what === 'step' ? 'steps' : 'workflows';
      const before = deployed[key][id];
      const renamed = difference.renamed?.sure
        ? difference.renamed
        : (renamedTo(id, deployed[key], next[key], source) ?? difference.renamed);
      const after = renamed && next[key][renamed.id];
      const message = `The ${what} \`${id}\` of the deployed build is gone: runs in flight that come to it are parked.`;
      if (!renamed || !after) {
        const pin = pinSomewhere(what, before, id);
        const remedy = `Bring it back until no run in flight may call it, or give what takes its place its id: \`${pin}\`.`;
        return say('id-removed', { ...beginning(before?.file ?? ''), message, remedy });
      }
      const place = at(after);
      const become = renamed.sure ? 'It is' : 'Perhaps it is';
      const remedy = `${become} \`${renamed.id}\` now. ${pinRemedy(what, renamed.id, after, id)}`;
      const fix = renamed.sure ? pinFix(what, renamed.id, after, id, source(after.file), place.span.start) : undefined;
      return say('id-removed', { ...place, message, remedy, fix });
    }
    case 'schema-break': {
      const { what, side, path, problem } = difference;
      const after = (what === 'step' ? next.steps : next.workflows)[id];
      return say('schema-break', { ...at(after), ...breakText(what, id, side, path, problem) });
    }
    case 'sequence-changed': {
      const { added, removed } = difference;
      const parts = [listed('calls', added), listed('no longer calls', removed)].filter((part) => part !== '');
      return say('step-sequence-changed', {
        ...at(next.workflows[id]),
        message: `The workflow \`${id}\` ${parts.join(' and ')}: a run in flight that is moved to this code may ask for something else than its log says.`,
        remedy: 'Let runs in flight end on the code that they began with; or try a move with `pawl replay`.',
      });
    }
    case 'class-removed':
      return say('class-removed', {
        ...beginning(deployed.classes[id]?.file ?? ''),
        message: `The class \`${id}\` of the deployed build is gone, or lost one of its two methods: its instances in the logs of runs in flight cannot be read.`,
        remedy:
          'Keep the class, with `serialize` and `deserialize`, under its file and name until those runs have ended.',
      });
  }
}

type Listed = Readonly<Record<string, Listing | undefined>>;

/**
 * The function that differs from one that is gone in nothing but its name: with the old name in the place of the new one its text has
 * the old hash. Where there are several, nobody knows which of them it is.
 */
function renamedTo(
  oldId: string,
  deployed: Listed,
  next: Listed,
  source: ReadSource,
): { id: string; sure: true } | null {
  const before = deployed[oldId];
  if (!before) return null;
  const fresh = Object.entries(next).filter(([id, after]) => {
    const text = after && !Object.hasOwn(deployed, id) ? source(after.file) : null;
    return after !== undefined && text !== null && isRenamed(oldId, before, id, after, text);
  });
  const [only, ...more] = fresh;
  if (!only || more.length > 0) return null;
  const [id, after] = only;
  const text = source((after as Listing).file) as string;
  const others = Object.entries(deployed).filter(
    ([other, gone]) =>
      gone !== undefined && !Object.hasOwn(next, other) && isRenamed(other, gone, id, after as Listing, text),
  );
  return others.length === 1 ? { id, sure: true } : null;
}

/**
 * Whether the text is that of another one but for the name: of a function alone, or wherever it stands in it; of a default export that
 * had none, with it; of a definition but for its slug.
 */
function isRenamed(oldId: string, { name, hash, style }: Listing, id: string, after: Listing, text: string): boolean {
  const { start, end } = spanIn(text, after.span);
  const own = text.slice(start, end);
  const isOld = (candidate: string): boolean => hashSource(candidate) === hash;
  if (style !== after.style) return false;
  if (style !== 'directive') {
    return ["'", '"', '`'].some((quote) => isOld(own.replace(quote + id + quote, () => quote + oldId + quote)));
  }
  if (!IDENTIFIER.test(after.name)) return false;
  const mention = `(?<![\\w$])${after.name.replaceAll('$', '\\$')}(?![\\w$])`;
  if (name === 'default') {
    const head = new RegExp(`^(async\\s+function)\\s+${mention}\\s*`);
    return ['$1 ', '$1'].some((unnamed) => isOld(own.replace(head, unnamed)));
  }
  return [new RegExp(mention, 'g'), new RegExp(mention)].some((each) => isOld(own.replace(each, () => name)));
}

const IDENTIFIER = /^[\w$]+$/;

function breakText(
  what: string,
  id: string,
  side: 'input' | 'output' | 'captures' | 'this',
  path: string,
  problem: string,
): { message: string; remedy: string } {
  const subject = path === '' ? 'it' : `\`${path}\``;
  switch (side) {
    case 'input':
      return {
        message: `The ${what} \`${id}\` refuses input that runs in flight may pass: ${subject} ${problem}.`,
        remedy:
          'Accept what was accepted, for example by an optional property or a default; or make a new step beside it.',
      };
    case 'output':
      return {
        message: `The ${what} \`${id}\` may give what runs in flight do not expect: ${subject} ${problem}.`,
        remedy: 'Give what was given; or make a new step beside it.',
      };
    case 'captures':
      return {
        message: `The step \`${id}\` captures other variables than in the deployed build (${path}), and they ${problem}: runs in flight would pass the wrong ones.`,
        remedy: 'Pass what is new as an argument, or give the step another name and keep the old one beside it.',
      };
    case 'this':
      return {
        message: `The step \`${id}\` uses \`this\` now, which ${problem.replace('old callers', 'runs in flight')}.`,
        remedy: 'Pass what it needs as an argument, or give the step another name and keep the old one beside it.',
      };
  }
}

function listed(verb: string, ids: readonly string[]): string {
  return ids.length === 0 ? '' : `${verb} ${ids.map((id) => `\`${id}\``).join(', ')}`;
}

/** What is gone has no place; its file is where to look. */
function beginning(file: string): { file: string; span: Span } {
  return { file, span: new Positions('').span(0, 0) };
}

function spanIn(text: string | null, span: ManifestSpan | undefined): Span {
  if (text === null || span === undefined) return beginning('').span;
  const { lineStarts } = new Positions(text);
  const offset = (line: number, column: number): number =>
    Math.min(text.length, (lineStarts[line - 1] ?? text.length) + column - 1);
  return { ...span, start: offset(span.line, span.column), end: offset(span.endLine, span.endColumn) };
}
