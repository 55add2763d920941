import type { Diagnostic } from '../diagnostics/types.ts';
import { createDiagnostic } from '../diagnostics/create.ts';
import type { Change, LoadEffects } from './load-effects.ts';

/** What of the effects goes into a workflow bundle. */
export type WantedEffects = Pick<LoadEffects, 'modules' | 'packages'>;

interface Lost extends Pick<Change, 'name' | 'span'> {
  file: string;
  /** Why it is not there. */
  because: string;
}

const NONE: WantedEffects = { modules: new Map(), packages: [] };

/**
 * Makes the workflow bundle with all that workflows want of what modules change when they are loaded. Where that brings in what
 * no workflow can have (a registry of handlers, one of which takes a module of Node), it is made again without, and a warning says
 * what is missing: the program built before somebody registered something, and goes on to do so.
 *
 * @param make - makes a bundle with some of the effects
 * @param problemsOf - what is wrong with it
 */
export async function bundleWithEffects<Made>(
  effects: LoadEffects,
  make: (wanted: WantedEffects) => Promise<Made>,
  problemsOf: (made: Made) => readonly Diagnostic[],
): Promise<{ made: Made; warnings: Diagnostic[] }> {
  const lost: Lost[] = effects.lost.map(({ lacks, ...change }) => ({
    ...change,
    because: `that takes \`${lacks}\`, which workflows do not have`,
  }));
  let wanted: WantedEffects = effects;
  let made = await make(wanted);
  while (isSomething(wanted)) {
    const problems = problemsOf(made);
    if (problems.length === 0) break;
    const rest = withoutFiles(wanted, new Set(problems.map(({ file }) => file)));
    const next = sizeOf(rest) < sizeOf(wanted) ? rest : NONE;
    const again = await make(next);
    const left = problemsOf(again);
    // They have nothing to do with it.
    if (!isSomething(next) && left.length === problems.length) {
      made = await make(wanted);
      break;
    }
    const because = `that brings something along that workflows cannot have (${(problems[0] as Diagnostic).message})`;
    lost.push(...changesIn(wanted, next).map((change) => ({ ...change, because })));
    wanted = next;
    made = again;
  }
  return { made, warnings: lost.map(lostEffect) };
}

function isSomething(wanted: WantedEffects): boolean {
  return sizeOf(wanted) > 0;
}

function sizeOf({ modules, packages }: WantedEffects): number {
  return modules.size + packages.length;
}

function withoutFiles({ modules, packages }: WantedEffects, files: ReadonlySet<string>): WantedEffects {
  return {
    modules: new Map([...modules].filter(([file]) => !files.has(file))),
    packages: packages.filter(({ file }) => !files.has(file)),
  };
}

/** One change for each module and package of `all` that is not in `some`. */
function changesIn(all: WantedEffects, some: WantedEffects): (Pick<Change, 'name' | 'span'> & { file: string })[] {
  const modules = [...all.modules].flatMap(([file, changes]) => {
    const first = changes.find(({ deferred }) => !deferred);
    return first && !some.modules.has(file) ? [{ file, name: first.name, span: first.span }] : [];
  });
  return [...modules, ...all.packages.filter((each) => !some.packages.includes(each))];
}

function lostEffect({ file, span, name, because }: Lost): Diagnostic {
  return createDiagnostic('load-effect-lost', {
    file,
    span,
    message: `Workflow code reads \`${name.split('.')[0]}\`, and what is done to it here when the module is loaded does not happen in workflows: ${because}.`,
    remedy:
      'Keep what workflows read apart from what only steps can have: let workflows read data, and steps look up the code.',
  });
}
