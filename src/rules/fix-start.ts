import type { ModuleFacts } from '../compiler/facts.ts';
import type { Fix, TextEdit } from '../diagnostics/types.ts';
import { givesPart } from '../sdks.ts';
import type { Hop, Reference } from './program.ts';

type Site = NonNullable<ModuleFacts['calls']>['sites'][number];

/** Where nothing else can be known of the names around the call. */
const OWN_NAME = 'startRun';

/**
 * `start(fulfil, [order]).then((run) => run.returnValue)` in place of `fulfil(order)`: it begins a run and promises its result, as the
 * call promised that of the function.
 */
export function startFix({ module, unit, use }: Hop, reference: Reference): Fix | undefined {
  const index = module.units.indexOf(unit);
  const site = module.calls?.sites.find((each) => each.unit === index && each.use === unit.uses.indexOf(use));
  if (!site?.parentheses) return undefined;
  const known = module.imports.find(
    ({ source, imported, typeOnly }) => !typeOnly && imported === 'start' && givesPart(source, 'client'),
  );
  const edits = callEdits(use.span, site, reference, known?.local ?? OWN_NAME);
  if (known) return { title: 'Start a run', edits };
  if (module.format === 'cjs' || module.importsAt === undefined) return undefined;
  return { title: 'Start a run', edits: [importEdit(module, module.importsAt), ...edits] };
}

function callEdits({ start, end }: Hop['use']['span'], site: Site, reference: Reference, name: string): TextEdit[] {
  const [open, close] = site.parentheses as [number, number];
  // `report.run(input)`: the definition is what is started.
  const callee = reference.kind === 'definition' ? end - '.run'.length : end;
  const isDropped = site.result === 'dropped' || site.result === 'void';
  return [
    { start, end: start, text: `${name}(` },
    { start: callee, end: open + 1, text: ', [' },
    { start: close, end: close + 1, text: isDropped ? '])' : ']).then((run) => run.returnValue)' },
  ];
}

function importEdit({ imports }: ModuleFacts, at: number): TextEdit {
  const isSdk = imports.some(({ source }) => source === 'workflow' || source.startsWith('workflow/'));
  const source = isSdk ? 'workflow/api' : 'pawl/client';
  const after = imports.length === 0 ? '\n\n' : '\n';
  return { start: at, end: at, text: `import { start as ${OWN_NAME} } from '${source}';${after}` };
}
