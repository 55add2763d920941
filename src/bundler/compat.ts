import { createDiagnostic, type DiagnosticInput } from '../diagnostics/create.ts';
import { sortDiagnostics } from '../diagnostics/order.ts';
import { Positions } from '../diagnostics/positions.ts';
import type { Diagnostic, Span } from '../diagnostics/types.ts';
import { withSeverities } from '../checker/check-program.ts';
import { type CheckerConfig, checkConfig } from '../checker/config.ts';
import type { RuleName } from '../diagnostics/codes.ts';
import { compareManifests, type Manifest, type ManifestDifference, type ManifestSpan } from '../manifest/index.ts';

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

function describe(difference: ManifestDifference, deployed: Manifest, next: Manifest, source: ReadSource): Diagnostic {
  const { id } = difference;
  const at = (place: { file: string; span: ManifestSpan } | undefined): Pick<DiagnosticInput, 'file' | 'span'> => {
    const file = place?.file ?? '';
    return { file, span: spanIn(source(file), place?.span) };
  };
  const say = (rule: RuleName, input: DiagnosticInput): Diagnostic => createDiagnostic(rule, input);
  switch (difference.kind) {
    case 'id-removed': {
      const { what, renamed } = difference;
      const before = (what === 'step' ? deployed.steps : deployed.workflows)[id];
      const after = renamed && (what === 'step' ? next.steps : next.workflows)[renamed.id];
      const pin = `.${what === 'step' ? 'stepId' : 'workflowId'} = '${id}'`;
      const message = `The ${what} \`${id}\` of the deployed build is gone: runs in flight that come to it are parked.`;
      if (!renamed || !after) {
        const remedy = `Bring it back until no run in flight may call it, or give what takes its place its id: \`${pin}\`.`;
        return say('id-removed', { ...beginning(before?.file ?? ''), message, remedy });
      }
      const place = at(after);
      const become = renamed.sure ? 'It is' : 'Perhaps it is';
      const remedy = `${become} \`${renamed.id}\` now. Keep the old id: \`${after.name}${pin}\`.`;
      const isDeclared = renamed.sure && renamed.id === `${after.file}#${after.name}`;
      const edit = { start: place.span.end, end: place.span.end, text: `\n${after.name}${pin};` };
      const fix = isDeclared ? { title: 'Keep the old id', edits: [edit] } : undefined;
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
