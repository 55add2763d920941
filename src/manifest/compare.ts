/**
 * What a deploy would do to runs in flight: the manifest that is deployed against the one that would take its place.
 *
 * Runs in flight keep the workflow code that they started with, and call steps of the new build by the ids and with the arguments
 * of the old one. So ids must stay, and steps must take what they took and give what they gave.
 */
import { compareText } from './canonical.ts';
import { findRefusal, type SchemaDifference } from './json-schema.ts';
import type { JsonSchema, Manifest, ManifestClass, ManifestStep, ManifestWorkflow } from './schema.ts';

export type ManifestDifference =
  /**
   * Runs in flight may call it, and it is gone. `renamed`: the id of the new manifest that takes its place; `sure` when the source text
   * is the same, a guess when it is the only one that is new in a file where only this one is missing.
   */
  | { kind: 'id-removed'; what: 'step' | 'workflow'; id: string; renamed: { id: string; sure: boolean } | null }
  /** It refuses what it accepted, or gives what it did not give. */
  | {
      kind: 'schema-break';
      what: 'step' | 'workflow';
      id: string;
      side: 'input' | 'output' | 'captures' | 'this';
      /** Path in the value, empty for the value itself; of captures the names before and after. */
      path: string;
      /** Half a sentence behind the path. */
      problem: string;
    }
  /** It calls other steps: runs that are asked to move to the new code may not find their way. */
  | { kind: 'sequence-changed'; id: string; added: string[]; removed: string[] }
  /** Instances of it may stand in the log, and nothing can read them. */
  | { kind: 'class-removed'; id: string };

/**
 * Compares manifests; pure.
 *
 * @param deployed - the one with which runs in flight were started
 * @param next - the one that would take its place
 * @returns what would strand runs, sorted by id; empty when nothing would
 * @example
 * const { manifest: deployed } = readManifest('deployed');
 * compareManifests(deployed, output.manifest).filter(({ kind }) => kind === 'id-removed');
 */
export function compareManifests(deployed: Manifest, next: Manifest): ManifestDifference[] {
  const found: ManifestDifference[] = [
    ...removed('step', deployed.steps, next.steps),
    ...removed('workflow', deployed.workflows, next.workflows),
  ];
  for (const [id, before] of Object.entries(deployed.steps)) {
    const after = next.steps[id];
    if (after) found.push(...stepBreaks(id, before, after));
  }
  for (const [id, before] of Object.entries(deployed.workflows)) {
    const after = next.workflows[id];
    if (!after) continue;
    // Its input was parsed when the run started; what it gives is parsed when it ends.
    found.push(...schemaBreak('workflow', id, 'output', after.output, before.output));
    found.push(...sequenceChange(id, before, after));
  }
  for (const id of Object.keys(deployed.classes)) {
    if (!(next.classes as Record<string, ManifestClass | undefined>)[id]) found.push({ kind: 'class-removed', id });
  }
  return found.sort((a, b) => compareText(a.id, b.id) || compareText(a.kind, b.kind));
}

type Listed = Readonly<Record<string, ManifestStep | ManifestWorkflow>>;

function removed(what: 'step' | 'workflow', before: Listed, after: Listed): ManifestDifference[] {
  const gone = Object.keys(before).filter((id) => !Object.hasOwn(after, id));
  const fresh = Object.keys(after).filter((id) => !Object.hasOwn(before, id));
  const only = (ids: string[]): string | null => (ids.length === 1 ? (ids[0] as string) : null);
  return gone.map((id) => {
    const { hash, file } = before[id] as ManifestStep;
    const same = only(fresh.filter((other) => after[other]?.hash === hash));
    const isAlone = gone.filter((other) => before[other]?.file === file).length === 1;
    const guess = isAlone ? only(fresh.filter((other) => after[other]?.file === file)) : null;
    const found = same ?? guess;
    return { kind: 'id-removed', what, id, renamed: found === null ? null : { id: found, sure: same !== null } };
  });
}

function stepBreaks(id: string, before: ManifestStep, after: ManifestStep): ManifestDifference[] {
  const found: ManifestDifference[] = [
    // Old callers pass what fitted the old input, and count on the old output.
    ...schemaBreak('step', id, 'input', after.input, before.input),
    ...schemaBreak('step', id, 'output', before.output, after.output),
  ];
  const { length } = after.captures;
  if (before.captures.slice(0, length).join() !== after.captures.join()) {
    const path = `${before.captures.join(', ') || 'nothing'} → ${after.captures.join(', ')}`;
    found.push({
      kind: 'schema-break',
      what: 'step',
      id,
      side: 'captures',
      path,
      problem: 'are passed by their order',
    });
  }
  if (after.usesThis && !before.usesThis) {
    found.push({
      kind: 'schema-break',
      what: 'step',
      id,
      side: 'this',
      path: '',
      problem: 'is not passed by old callers',
    });
  }
  return found;
}

function schemaBreak(
  what: 'step' | 'workflow',
  id: string,
  side: 'input' | 'output',
  wide: JsonSchema | undefined,
  narrow: JsonSchema | undefined,
): ManifestDifference[] {
  if (wide === undefined || narrow === undefined) return [];
  return refusals(wide, narrow).map(({ path, what: problem }) => ({
    kind: 'schema-break',
    what,
    id,
    side,
    path,
    problem: side === 'input' ? now(problem) : widened(problem),
  }));
}

/** Of objects one difference for each property, so that one deploy tells of all of them. */
function refusals(wide: JsonSchema, narrow: JsonSchema): SchemaDifference[] {
  const found: SchemaDifference[] = [];
  if (isObject(wide) && isObject(narrow)) {
    for (const name of propertiesOf(wide, narrow)) {
      const difference = findRefusal(onlyWith(wide, name), onlyWith(narrow, name));
      if (difference && !found.some(({ path, what }) => path === difference.path && what === difference.what))
        found.push(difference);
    }
  }
  const whole = found.length === 0 ? findRefusal(wide, narrow) : null;
  return whole ? [whole] : found;
}

type ObjectSchema = Exclude<JsonSchema, boolean>;

function isObject(schema: JsonSchema): schema is ObjectSchema {
  return typeof schema === 'object' && schema.type === 'object';
}

function propertiesOf(...schemas: ObjectSchema[]): Set<string> {
  return new Set(schemas.flatMap((schema) => [...Object.keys(schema.properties ?? {}), ...requiredOf(schema)]));
}

function requiredOf({ required }: ObjectSchema): string[] {
  return Array.isArray(required) ? required.filter((name) => typeof name === 'string') : [];
}

/** An object type with one of its properties. */
function onlyWith(schema: ObjectSchema, name: string): ObjectSchema {
  const properties = (schema.properties ?? {}) as Record<string, unknown>;
  return {
    ...schema,
    properties: Object.hasOwn(properties, name) ? { [name]: properties[name] } : {},
    required: requiredOf(schema).filter((each) => each === name),
  };
}

/** Of what the new build asks for. */
function now(problem: string): string {
  return /^(?:has to keep|is required)/.test(problem) ? `${problem} now` : problem;
}

/** The same difference of what the new build gives, where the deployed one is the narrower. */
function widened(problem: string): string {
  const type = /^is (.+), and has to be (.+)$/.exec(problem);
  if (type) return `may be ${type[1]} now, and was ${type[2]}`;
  return problem
    .replace(/^is required$/, 'may be missing now, and was always there')
    .replace(/^has to keep /, 'no longer keeps ')
    .replace(/^no longer accepts (.+)$/, 'may be $1 now, and never was')
    .replace(/^accepts only (.+)$/, 'may be anything now, and was one of $1')
    .replace(/^is no longer accepted$/, 'is new, and the deployed build gives nothing beside what it names')
    .replace(/^is no longer among what is accepted$/, 'may be now what it never was');
}

function sequenceChange(id: string, before: ManifestWorkflow, after: ManifestWorkflow): ManifestDifference[] {
  const added = after.steps.filter((step) => !before.steps.includes(step));
  const gone = before.steps.filter((step) => !after.steps.includes(step));
  return added.length + gone.length > 0 ? [{ kind: 'sequence-changed', id, added, removed: gone }] : [];
}
