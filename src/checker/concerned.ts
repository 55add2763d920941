import type { ModuleFacts } from '../compiler/index.ts';
import type { SourceFile } from './files.ts';
import { likelySpecifiers } from './imports.ts';

/** The files that a check reads facts of: as much of `SourceFiles` as the question needs. */
interface Files {
  get(file: string): SourceFile | null;
  facts(file: string): ModuleFacts | undefined;
}

/**
 * Which entries a program begins with: those that have something for the checker by themselves, and those that seem to call a
 * workflow of them by its name. Most files of a project are neither, and are never parsed.
 *
 * @param isWanted - entries that are taken in any case
 */
export function concernedEntries(
  entries: readonly string[],
  files: Files,
  isWanted: (file: string) => boolean = () => false,
): string[] {
  const concerned = new Set<string>();
  for (const file of entries) if (files.get(file)?.concerns || isWanted(file)) concerned.add(file);
  const workflows = new WorkflowNames();
  for (const file of concerned) workflows.add(files.facts(file));
  return entries.filter((file) => {
    if (concerned.has(file)) return true;
    const source = workflows.isEmpty ? null : files.get(file);
    return source !== null && workflows.mayBeCalledIn(source);
  });
}

/** The names of workflows, and of the files that they can be imported from. */
class WorkflowNames {
  readonly #names = new Set<string>();
  readonly #files = new Set<string>();
  /** Some workflow is a default export, and may be imported under any name. */
  #hasDefault = false;
  #call: RegExp | null = null;

  get isEmpty(): boolean {
    return this.#files.size === 0;
  }

  add(facts: ModuleFacts | undefined): void {
    if (!facts) return;
    const locals: string[] = [];
    for (const { kind, name } of facts.functions) if (kind === 'workflow') locals.push(name);
    for (const { kind, local } of facts.definitions) if (kind === 'workflow') locals.push(local ?? 'default');
    if (locals.length === 0) return;
    const exported = facts.exports.filter(({ local }) => local !== null && locals.includes(local));
    for (const name of [...locals, ...exported.map((fact) => fact.name)]) this.#names.add(name);
    this.#hasDefault ||= this.#names.has('default');
    // A barrel is imported by the name of its folder.
    for (const piece of facts.file.split('/').slice(-2)) this.#files.add(stemOf(piece));
  }

  mayBeCalledIn(source: SourceFile): boolean {
    if (!stemsOf(source).some((stem) => this.#files.has(stem))) return false;
    if (this.#hasDefault) return true;
    this.#call ??= new RegExp(`(?<![\\w$])(?:${[...this.#names].map(escaped).join('|')})(?![\\w$])`);
    return this.#call.test(source.text);
  }
}

const stemsKnown = new WeakMap<SourceFile, readonly string[]>();

function stemsOf(source: SourceFile): readonly string[] {
  let stems = stemsKnown.get(source);
  if (!stems) {
    stems = likelySpecifiers(source).map(stemOf);
    stemsKnown.set(source, stems);
  }
  return stems;
}

/** `./flows/fulfil.ts` is `fulfil`. */
function stemOf(specifier: string): string {
  return specifier.slice(specifier.lastIndexOf('/') + 1).replace(/\.[cm]?[jt]sx?$/, '');
}

function escaped(name: string): string {
  return name.replaceAll('$', '\\$');
}
