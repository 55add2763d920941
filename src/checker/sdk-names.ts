import type { ModuleFacts } from '../compiler/index.ts';
import type { DiagnosticInput } from '../diagnostics/create.ts';

/** By what pawl's own packages are known in a program that is written for another SDK; null where it is written for pawl. */
type Names = { durable: string; client: string } | null;

const FOREIGN: readonly [pattern: RegExp, names: NonNullable<Names>][] = [
  [/^(?:workflow|@workflow\/core)(?:\/|$)/, { durable: 'workflow', client: 'workflow/api' }],
  [/^@keystrokehq\/keystroke(?:\/|$)/, { durable: '@keystrokehq/keystroke', client: '@keystrokehq/keystroke/client' }],
];

/** Lets remedies name the packages that a program imports from: of `'pawl'` there is nothing in it. */
export class SdkNames {
  readonly #modules: readonly ModuleFacts[];
  #names: Names | undefined;

  constructor(modules: readonly ModuleFacts[]) {
    this.#modules = modules;
  }

  in(finding: DiagnosticInput): DiagnosticInput {
    const { remedy } = finding;
    if (!remedy || !/'pawl(?:\/client)?'/.test(remedy)) return finding;
    if (this.#names === undefined) this.#names = namesOf(this.#modules);
    const names = this.#names;
    if (!names) return finding;
    const text = remedy.replaceAll("'pawl/client'", `'${names.client}'`).replaceAll("'pawl'", `'${names.durable}'`);
    return { ...finding, remedy: text };
  }
}

function namesOf(modules: readonly ModuleFacts[]): Names {
  let found: Names = null;
  for (const { imports } of modules)
    for (const { source } of imports) {
      if (/^pawl(?:\/|$)/.test(source)) return null;
      found ??= FOREIGN.find(([pattern]) => pattern.test(source))?.[1] ?? null;
    }
  return found;
}
