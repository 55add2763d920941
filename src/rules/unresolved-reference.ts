import type { DefinitionFact, ModuleFacts, Use } from '../compiler/facts.ts';
import type { Span } from '../diagnostics/types.ts';
import { placeName } from './chain.ts';
import { defineRule, type RuleContext } from './define-rule.ts';
import { wantedOf } from './per-list.ts';
import type { Place, Program, ResolvedUse } from './program.ts';
import { reachedCode } from './reached.ts';

/**
 * Names that lead nowhere although their module is there; imports of modules that are not belong to unresolved-import. Only what
 * is certain is said: a module that passes on what a package exports, or is no ES module, may have more names than can be seen.
 */
export const unresolvedReference = defineRule({
  name: 'unresolved-reference',
  by: 'program',
  description: 'A tool, an action, a step, a workflow or a model that resolves to nothing',
  explanation: {
    mistake:
      'Durable code imports a name of a module with steps, workflows or definitions that the module does not export, an agent names a tool, a credential or a model that nothing declares, or code calls `run` or `prompt` of a name that is nowhere.',
    why: 'The name is undefined when the code runs: a workflow fails in the middle, after its first steps have been done, and an agent stands there without its tool.',
    allowed:
      'Names that a module passes on from a package; exports of CommonJS; types; globals of Node and of browsers; models by their name, `openai/gpt-5`.',
    unseen:
      'Names of models, ids of workflows as text, members of objects, and code that no step and no workflow reaches. Of helpers that are not exported `pawl build` tells.',
  },
  bad: {
    'src/actions/classify.ts': `import { defineAction } from 'pawl';
import { z } from 'zod';

export const classify = defineAction({
  slug: 'classify',
  description: 'Finds the category of a message.',
  input: z.object({ text: z.string() }),
  output: z.string(),
  run: async ({ text }) => text,
});
`,
    'src/agents/support.ts': `import { defineAgent } from 'pawl';
import { clasify } from '../actions/classify';

export const support = defineAgent({
  slug: 'support',
  systemPrompt: 'Help.',
  model: 'openai/gpt-5',
  tools: [clasify],
});
`,
  },
  good: {
    'src/actions/classify.ts': `import { defineAction } from 'pawl';
import { z } from 'zod';

export const classify = defineAction({
  slug: 'classify',
  description: 'Finds the category of a message.',
  input: z.object({ text: z.string() }),
  output: z.string(),
  run: async ({ text }) => text,
});
`,
    'src/agents/support.ts': `import { defineAgent } from 'pawl';
import { classify } from '../actions/classify';

export const support = defineAgent({
  slug: 'support',
  systemPrompt: 'Help.',
  model: 'openai/gpt-5',
  tools: [classify],
});
`,
  },
  check(context) {
    const finder = new Finder(context);
    for (const level of ['workflow', 'step'] as const)
      for (const at of reachedCode(context.program, level).places)
        for (const each of suspects(at.uses)) finder.use(each, at);
    for (const module of context.program.modules)
      for (const definition of module.definitions) finder.definition(module, definition);
  },
});

const suspects = wantedOf(
  ({ use, reference }: ResolvedUse) =>
    // What a variable was made with has a use of its own.
    use.via === undefined && ((use.kind === 'import' && reference.kind === 'unknown') || isUndeclaredCall(use)),
);

class Finder {
  readonly #program: Program;
  readonly #report: RuleContext['report'];
  readonly #told = new Set<string>();

  constructor({ program, report }: RuleContext) {
    this.#program = program;
    this.#report = report;
  }

  /** A use in the code of a step or a workflow. */
  use({ use, reference }: ResolvedUse, at: Place): void {
    if (use.kind === 'import' && reference.kind === 'unknown')
      this.#imported(at.module, use, /^(?:run|prompt)$/.test(use.path.at(-1) as string));
    else if (isUndeclaredCall(use)) {
      const [name = ''] = use.path;
      this.#tell(
        at.module,
        use.span,
        `\`${placeName(at)}\` calls \`${use.path.join('.')}\`, and nothing declares \`${name}\`.`,
        'Import it, or correct the name.',
      );
    }
  }

  /** What a definition names in its options. */
  definition(module: ModuleFacts, { references, model, span, kind, slug, local }: DefinitionFact): void {
    const what = `${kind === 'agent' ? 'The agent' : `The ${kind}`} \`${slug ?? local ?? 'default'}\``;
    for (const path of model ? [...references, model] : references) {
      for (const unit of module.units)
        for (const use of unit.uses) {
          const isHere = span.start <= use.span.start && use.span.end <= span.end && use.path.join() === path.join();
          if (!isHere) continue;
          if (use.kind === 'global' && !isKnownGlobal(path[0] as string)) {
            const message = `${what} names \`${path.join('.')}\`, and nothing declares it.`;
            this.#tell(module, use.span, message, 'Import it, or correct the name.');
          } else if (use.kind === 'import' && this.#program.resolve(module, use).kind === 'unknown')
            this.#imported(module, use, true);
        }
    }
  }

  /** @param isDurable - whether the name is that of something durable, by where it stands */
  #imported(module: ModuleFacts, { path, span }: Use, isDurable: boolean): void {
    const [local = '', member] = path;
    const fact = module.imports.find((each) => each.local === local && !each.typeOnly);
    if (!fact || fact.form !== 'import') return;
    const isNamespace = fact.imported === '*';
    const name = isNamespace ? member : fact.imported;
    const target = name === undefined ? null : this.#program.importOf(module, fact.source);
    if (name === undefined || !target) return;
    const seen = new Set<ModuleFacts>();
    if (mayExport(this.#program, target, name, seen)) return;
    // Of helpers the build tells, which follows every import.
    if (!isDurable && ![...seen].some(registers)) return;
    const lacks = name === 'default' ? 'has no default export' : `does not export \`${name}\``;
    this.#tell(
      module,
      isNamespace ? span : fact.span,
      `\`${target.file}\` ${lacks}.`,
      `Export it there, or correct the name${hintOf(target)}.`,
    );
  }

  #tell(module: ModuleFacts, span: Span, message: string, remedy: string): void {
    const key = `${module.file}:${span.start}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.#report({ file: module.file, span, message, remedy });
  }
}

function hintOf({ exports }: ModuleFacts): string {
  const names = [...new Set(exports.map(({ name }) => name))].filter((name) => name !== '*');
  return names.length === 0 || names.length > 6 ? '' : `: there are ${names.map((name) => `\`${name}\``).join(', ')}`;
}

/** Whether a module may export a name; true whenever it cannot be told for certain. */
function mayExport(program: Program, module: ModuleFacts, name: string, seen: Set<ModuleFacts>): boolean {
  if (seen.has(module)) return false;
  seen.add(module);
  if (module.format === 'cjs' || /\.c[jt]s$/.test(module.file)) return true;
  if (module.exports.some((fact) => fact.name === name)) return true;
  return module.exports.some((fact) => {
    if (fact.name !== '*' || fact.source === null || name === 'default') return false;
    const target = program.importOf(module, fact.source);
    return !target || mayExport(program, target, name, seen);
  });
}

function registers({ functions, definitions }: ModuleFacts): boolean {
  return functions.length > 0 || definitions.length > 0;
}

/** `triagee.run(…)`: names that only durable things have a member of. */
function isUndeclaredCall({ kind, access, path, guarded }: Use): boolean {
  if (kind !== 'global' || access !== 'call' || path.length !== 2 || guarded) return false;
  return (path[1] === 'run' || path[1] === 'prompt') && !isKnownGlobal(path[0] as string);
}

const HOSTS = new Set([
  'window',
  'document',
  'self',
  'global',
  'Deno',
  'Bun',
  'require',
  'module',
  'exports',
  '$',
  'jQuery',
]);

function isKnownGlobal(name: string): boolean {
  return name in globalThis || HOSTS.has(name);
}
