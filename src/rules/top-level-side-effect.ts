import type { ModuleFacts, Unit, Use } from '../compiler/facts.ts';
import { chainPlaces, chainText, placeName, useVerb } from './chain.ts';
import { defineRule } from './define-rule.ts';
import { ioEnd } from './io.ts';
import { isPlain, levelName } from './levels.ts';
import { wantedOf } from './per-list.ts';
import type { Place, Program, Reference } from './program.ts';
import { type ReachedPlace, reachedCode } from './reached.ts';
import { lackEnd } from './sandbox.ts';

/**
 * The workflow bundle holds what workflows need of each module, and evaluates it before any workflow begins. Statements of a
 * module that registers workflows stay only if they change something that workflow code reads; those of a helper module stay
 * whenever something of it is needed; an object that a variable holds is evaluated as a whole. What workflow code itself leads to
 * (the initializer of a variable that it reads) belongs to the rules about workflow code.
 */
export const topLevelSideEffect = defineRule({
  name: 'top-level-side-effect',
  by: 'program',
  description: 'Loading a module that workflows need does I/O, or needs what the sandbox does not have',
  explanation: {
    mistake:
      'A module of which a workflow needs a function, a class or a variable also has a statement at its top level that does I/O, sets a timer or reads the environment (`mkdirSync(…)`, `setInterval(…)`, `if (process.env.DEBUG) …`); or a workflow needs one property of an object whose other properties are made that way.',
    why: 'Workflow code runs from a bundle of its own, and all that is left in it is evaluated for each run, in a sandbox that has neither modules of Node nor timers nor an environment. The statement would stop every workflow before it begins.',
    allowed:
      'Statements that set up only what steps use: they are not in the bundle. Constants that are not needed (`export const client = new Client()`). Modules of which workflows need nothing but types, literals or steps. Code of a module that asks `typeof process`.',
    unseen: 'Effects of packages that are imported; statements that call functions which arrive as arguments.',
  },
  bad: {
    'src/settings.ts': `import { mkdirSync } from 'node:fs';

mkdirSync('/tmp/labels', { recursive: true });

export const labelOf = (order: string) => '/tmp/labels/' + order;
`,
    'src/fulfil.ts': `import { labelOf } from './settings';

export async function fulfil(order: string) {
  'use workflow';
  return labelOf(order);
}
`,
  },
  good: {
    'src/settings.ts': `export const labelOf = (order: string) => '/tmp/labels/' + order;
`,
    'src/labels.ts': `import { mkdirSync, writeFileSync } from 'node:fs';
import { labelOf } from './settings';

mkdirSync('/tmp/labels', { recursive: true });

export async function printLabel(order: string) {
  'use step';
  writeFileSync(labelOf(order), order);
}
`,
    'src/fulfil.ts': `import { printLabel } from './labels';
import { labelOf } from './settings';

export async function fulfil(order: string) {
  'use workflow';
  await printLabel(order);
  return labelOf(order);
}
`,
  },
  check({ program, report }) {
    const { places } = reachedCode(program, 'workflow');
    const seen = new Set<ModuleFacts>();
    for (const { inner } of places)
      for (const { reference } of inner)
        if (reference.kind === 'unit' || reference.kind === 'binding') seen.add(reference.module);
    if (![...seen].some(({ units }) => units.some((unit) => mayAct(unit)))) return;
    const bundle = new BundledCode(program);
    const roots = bundle.roots();
    if (roots.length === 0) return;
    const chains = program.chains({
      rule: 'top-level-side-effect',
      roots,
      end: (use, reference) => (use.deferred ? null : effect(use, reference)),
      through: (target) => isPlain(target) && !bundle.reached.has(target.unit),
    });
    for (const { hops, end } of chains) {
      const [first, second] = hops;
      const { module } = first;
      const reach = second
        ? `reaches \`${end.name}\` through \`${placeName(second)}\``
        : `${useVerb(first.use)} \`${end.name}\``;
      const need = bundle.needs.get(module) as Need;
      report({
        file: module.file,
        span: first.use.span,
        message: `Loading this module ${reach}, and ${levelName(need.at.root).toLowerCase()} \`${placeName(need.at.root)}\` needs \`${need.name}\` of it: ${end.because}.`,
        chain: second && chainText(hops, end.name),
        remedy:
          'Move it into a module of its own that only steps import, or into a function that steps call, or move what workflows need.',
        related: [
          ...(second ? chainPlaces(hops, end.name) : []),
          {
            file: need.at.module.file,
            span: need.use.span,
            message: `\`${placeName(need.at)}\` ${useVerb(need.use)} \`${need.name}\``,
          },
        ],
      });
    }
  },
});

function effect(use: Use, reference: Reference): { name: string; because: string } | null {
  return ioEnd(use, reference) ?? lackEnd(use, reference);
}

/** Why a module is in the bundle. */
interface Need {
  /** What is needed of it. */
  name: string;
  at: ReachedPlace;
  use: Use;
}

/** What of the program is in the workflow bundle. */
class BundledCode {
  /** Units that workflow code leads to. */
  readonly reached: Pick<ReadonlySet<Unit>, 'has'>;
  /** The same by file and path: a variable that is assigned again has several units, of which one is led to for all. */
  readonly #paths: ReadonlySet<string>;
  readonly needs = new Map<ModuleFacts, Need>();
  readonly #program: Program;
  /** Variables of modules that workflow code needs, by module. */
  readonly #names = new Map<ModuleFacts, Set<string>>();

  constructor(program: Program) {
    this.#program = program;
    const { places, units } = reachedCode(program, 'workflow');
    this.reached = units;
    this.#paths = new Set(places.map(({ module, unit }) => `${module.file}#${unit.path}`));
    for (const at of places) for (const { use, reference } of at.inner) this.#need(use, reference, at);
  }

  #need(use: Use, reference: Reference, at: ReachedPlace): void {
    if (reference.kind !== 'unit' && reference.kind !== 'binding') return;
    const { module, path } = reference;
    const [name = ''] = path;
    if (reference.kind === 'unit' && !isPlain(reference)) return;
    // A literal is put where it is used; of classes the code is needed.
    if (reference.kind === 'binding' && !module.shapes?.some((shape) => shape.path === name)) return;
    const names = this.#names.get(module) ?? new Set();
    this.#names.set(module, names.add(name));
    if (!this.needs.has(module)) this.needs.set(module, { name, at, use });
  }

  /** Code that runs when modules are loaded, and that workflow code does not lead to itself. */
  roots(): Place[] {
    const roots: Place[] = [];
    for (const [module, names] of this.#names) {
      for (const unit of module.units) {
        if (unit.kind === 'module') {
          const uses = this.#statements(module, unit);
          if (uses.length > 0) roots.push({ module, unit: { ...unit, uses } });
        } else if (this.#isEvaluated(module, unit, names)) {
          roots.push({ module, unit: { ...unit, uses: [...acts(unit.uses)] } });
        }
      }
    }
    return roots;
  }

  /** A property of an object that is needed. */
  #isEvaluated({ file }: ModuleFacts, { kind, path }: Unit, names: ReadonlySet<string>): boolean {
    const end = path.indexOf('.');
    return kind === 'variable' && end > 0 && names.has(path.slice(0, end)) && !this.#paths.has(`${file}#${path}`);
  }

  /** What statements that stay in the bundle do at once. */
  #statements(module: ModuleFacts, { uses }: Unit): Use[] {
    const runs = acts(uses);
    if (!registers(module)) return [...runs];
    const kept = new Set(uses.filter((use) => this.#changes(module, use)).map(({ statement }) => statement));
    return runs.filter(({ statement }) => kept.has(statement));
  }

  /** Whether a use in a statement may change a variable that workflow code needs. */
  #changes(module: ModuleFacts, use: Use): boolean {
    if (use.kind !== 'local' && use.kind !== 'import') return false;
    const reference = this.#program.resolve(module, use);
    if (reference.kind !== 'unit' || reference.unit.kind !== 'variable') return false;
    if (!this.#names.get(reference.module)?.has(reference.path[0] as string)) return false;
    return use.access === 'write' || use.path.length === 1 || use.access === 'call';
  }
}

/** What may do something when the module is loaded: more than to write a variable of its own, or a global. */
const acts = wantedOf(
  (use: Use) => runsAtLoad(use) && !(use.access === 'write' && (use.kind === 'local' || use.kind === 'global')),
);

function mayAct({ kind, path, uses }: Unit): boolean {
  return (kind === 'module' || (kind === 'variable' && path.includes('.'))) && acts(uses).length > 0;
}

/** What is only mentioned (a class that is extended, a handler that is handed over) is not run; members of globals are read. */
function runsAtLoad({ kind, access, deferred }: Use): boolean {
  return !deferred && (access !== 'read' || kind === 'global');
}

/** Of modules that register something the compiler leaves out what workflows do not need. */
function registers({ functions, definitions, classes }: ModuleFacts): boolean {
  return functions.length > 0 || definitions.length > 0 || classes.length > 0;
}
