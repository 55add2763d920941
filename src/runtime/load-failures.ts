/** Why a step bundle did not load, in words about the user's files: the bundle is nobody's source. */
import { PawlError } from '../errors.ts';
import { mapStack, placeOf, type SourcePlace } from './source-maps.ts';
import { oneLine } from './one-line.ts';

/** The step bundle, as it was read. */
export interface StepBundle {
  file: string;
  /** Under which its frames appear in stacks. */
  url: string;
  code: string;
  /** Files that import each other in a circle, first and last the same. */
  cycles: readonly (readonly string[])[];
}

/** The error for what was thrown while the bundle was loaded. */
export function loadFailed(error: unknown, bundle: StepBundle): PawlError {
  const places = placesOfError(error);
  const [place] = places;
  return new PawlError('PAWL_STEPS_FAILED', `The steps cannot be loaded: ${oneLine(error)}`, {
    place: place ? `${place.file}:${place.line}:${place.column}` : bundle.file,
    remedy: remedyFor(
      error,
      places.map(({ file }) => file),
      bundle,
    ),
    cause: error,
  });
}

function remedyFor(error: unknown, files: readonly string[], { cycles }: StepBundle): string {
  const code = (error as { code?: unknown } | null)?.code;
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'ERR_PACKAGE_PATH_NOT_EXPORTED' || code === 'MODULE_NOT_FOUND') {
    return 'Install the package where the bundle stands, then run `pawl build`.';
  }
  if (error instanceof SyntaxError && !/does not provide an export/.test(error.message)) {
    return 'A file that the steps import holds what no ES module may, most often one of CommonJS: its code becomes part of one, which is strict. Mend that file, or have the step load it with `createRequire` of node:module.';
  }
  if (error instanceof SyntaxError) {
    return 'A package is not the one that the build saw: install the same version where the bundle stands, and run `pawl build`.';
  }
  // What is used before it is there: an import cycle through the file is the likely reason.
  const cycle = error instanceof ReferenceError || error instanceof TypeError ? cycleThrough(files, cycles) : null;
  if (cycle) {
    return `These files import each other in a circle: ${cycle.join(' -> ')}. One of them runs before what it takes from the next is there. Move what they share into a file of its own, or use it in functions only, not while the file is loaded.`;
  }
  return `The top-level code of ${files.at(-1) ?? 'a module'} threw: it runs whenever the steps are loaded. Move what may fail into a step.`;
}

/** The shortest one through the first file of a stack that has one. */
function cycleThrough(files: readonly string[], cycles: StepBundle['cycles']): readonly string[] | null {
  const file = files.find((each) => cycles.some((cycle) => cycle.includes(each)));
  const through = cycles.filter((cycle) => file !== undefined && cycle.includes(file));
  return through.toSorted((a, b) => a.length - b.length)[0] ?? null;
}

/** The places of a stack, innermost first. */
function placesOfError(error: unknown): SourcePlace[] {
  const stack = (error as { stack?: unknown } | null)?.stack;
  if (typeof stack !== 'string') return [];
  return mapStack(stack)
    .split('\n')
    .flatMap((line) => placeOf(line) ?? []);
}

/** The error for a bundle whose top-level `await` nothing will settle. */
export function loadStalled(bundle: StepBundle): PawlError {
  const places = topLevelAwaits(bundle);
  const [only, second] = places;
  const where = places.length === 0 ? '' : ` (${places.slice(0, 5).join(', ')}${places.length > 5 ? ', …' : ''})`;
  return new PawlError(
    'PAWL_STEPS_STALLED',
    second === undefined
      ? 'The steps cannot be loaded: a top-level `await` waits for something that will never come.'
      : `The steps cannot be loaded: one of these top-level \`await\`s waits for something that will never come${where}.`,
    {
      place: only !== undefined && second === undefined ? only : bundle.file,
      remedy:
        only === undefined
          ? 'It is in a package that a step imports. Import that within the step.'
          : 'Move what is waited for into a step, or see to it that the promise is settled.',
    },
  );
}

/** A statement that may hold functions: an `await` within is theirs. */
const HOLDS_CODE = /=>|\b(?:function|class)\b/;

/**
 * Where modules of the bundle wait while they load, as `file:line:column`. Only told when it is too late, so no parser is needed: the
 * bundler writes what is at the top level at the first column, and everything else behind tabs.
 */
export function topLevelAwaits({ code, url }: Pick<StepBundle, 'code' | 'url'>): string[] {
  const places = new Set<string>();
  let isOpen = false;
  for (const [index, line] of code.split('\n').entries()) {
    const isFirst = !/^[\t})\]]/.test(line);
    const column = isFirst || isOpen ? line.search(/\bawait\b/) : -1;
    if (isFirst) isOpen = !HOLDS_CODE.test(line);
    if (column < 0 || HOLDS_CODE.test(line.slice(0, column))) continue;
    const place = placeOf(mapStack(`Error\n    at ${url}:${index + 1}:${column + 1}`));
    if (place) places.add(`${place.file}:${place.line}:${place.column}`);
  }
  return [...places];
}
