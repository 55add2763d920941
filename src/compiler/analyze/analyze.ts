import type * as t from '@babel/types';
import { Positions } from '../../diagnostics/positions.ts';
import { givesPart } from '../../sdks.ts';
import type { ClassFact, ModuleFacts } from '../facts.ts';
import { type Parsed, parseModule } from '../parse/parse.ts';
import { mayHaveDirectives } from '../prefilter.ts';
import { type Node, unwrap } from './ast.ts';
import { readCalls } from './calls.ts';
import { type Definition, readDefinitions } from './definitions.ts';
import { readExports, readImports } from './exports.ts';
import { judgeFunctions, runsOnceAtLoad } from './functions.ts';
import { checkLostWrites } from './lost-writes.ts';
import { type ClassSite, type DirectiveFunction, type Model, Scope } from './model.ts';
import { findModuleDirective, type ModuleDirective } from './module-directive.ts';
import { placeOf } from './names.ts';
import { readOptions } from './options.ts';
import { report } from './report.ts';
import { checkStrays } from './strays.ts';
import { readShapes } from './shapes.ts';
import { readSuppressions } from './suppressions.ts';
import { readPauses } from './pauses.ts';
import { addUses } from './uses.ts';
import { definerOf, type Definer, symbolFor } from './sources.ts';
import { Walker } from './walk.ts';

/** Everything that one parse and one walk find out about a module. */
export interface Analysis {
  model: Model;
  facts: ModuleFacts;
  directive: ModuleDirective | null;
  functions: DirectiveFunction[];
  definitions: Definition[];
  classes: { fact: ClassFact; site: ClassSite }[];
  /** The parser gave up or had to guess: there is nothing to transform. */
  broken: boolean;
}

export interface AnalyzeOptions {
  /** Path relative to the root, with `/`. */
  file: string;
  /** `name@version` for modules of packages, whose ids begin with it. */
  packageName: string | null;
  /** Also read how calls stand in the code. */
  calls?: boolean;
}

const SYMBOL_NAMES: Record<string, 'serialize' | 'deserialize' | undefined> = {
  serialize: 'serialize',
  deserialize: 'deserialize',
  WORKFLOW_SERIALIZE: 'serialize',
  WORKFLOW_DESERIALIZE: 'deserialize',
};

export function analyzeModule(source: string, options: AnalyzeOptions): Analysis {
  const parsed = parseModule(source, options.file);
  if (!parsed.tooDeep) {
    try {
      return analyzeParsed(source, options, parsed);
    } catch (error) {
      // The engine says so of a stack that is full.
      if (!(error instanceof RangeError)) throw error;
    }
  }
  const problems = mayHaveDirectives(source) ? [{ offset: 0, message: TOO_DEEP, remedy: SPLIT }] : [];
  return { ...analyzeParsed(source, options, { program: null, comments: [], problems }), broken: true };
}

const TOO_DEEP =
  'The code is nested too deep to be checked or compiled: a sum of thousands of terms, say, or as many branches in one another.';
const SPLIT = 'Split it into several statements or functions; move generated data into a file of JSON.';

function analyzeParsed(source: string, options: AnalyzeOptions, parsed: Parsed): Analysis {
  const program = parsed.program ?? emptyProgram();
  const model: Model = {
    source,
    file: options.file,
    packageName: options.packageName,
    program,
    comments: parsed.comments,
    positions: new Positions(source),
    module: new Scope(null, 'module', program, null),
    refs: [],
    functions: [],
    directives: [],
    definitions: [],
    classes: [],
    symbolWrites: [],
    options: [],
    strays: [],
    requires: [],
    members: [],
    sdk: new Set(),
    probes: [],
    pauses: [],
    iterated: new Map(),
    results: new Map(),
    instances: new Map(),
    queued: [],
    heads: new Map(),
    aliases: [],
    spreads: [],
    arrays: new Map(),
    elements: [],
    setters: new Map(),
    units: [],
    usesCommonJs: false,
    diagnostics: [],
  };
  model.units.push({
    path: '',
    kind: 'module',
    span: model.positions.span(0, source.length),
    nameSpan: model.positions.span(0, 0),
    uses: [],
  });
  for (const { offset, message, remedy } of parsed.problems) {
    const at = Math.min(offset, source.length);
    report(model, 'syntax-error', at, Math.min(at + 1, source.length), message, remedy === undefined ? {} : { remedy });
  }
  const imports = declareImports(model);
  const directive = findModuleDirective(model);
  new Walker(model, directive?.marked ?? new Map(), imports.definers, imports.symbols).run();
  checkStrays(model);
  const functions = judgeFunctions(model);
  checkLostWrites(model, functions);
  readOptions(model, functions);
  const definitions = readDefinitions(model);
  const classes = readClasses(model, functions);
  const shapes = readShapes(model, functions);
  const facts: ModuleFacts = {
    version: 1,
    file: options.file,
    format: formatOf(model),
    directive: directive && {
      kind: directive.kind,
      span: model.positions.span(directive.node.start as number, directive.node.end as number),
    },
    imports: readImports(model),
    exports: readExports(model),
    functions: functions.map((fn) => fn.fact),
    definitions: definitions.map((definition) => definition.fact),
    classes: classes.map((entry) => entry.fact),
    units: model.units,
    suppressions: readSuppressions(model),
    ...(shapes.length > 0 && { shapes }),
    ...readPauses(model),
  };
  addUses(model, facts, functions);
  if (options.calls) facts.calls = readCalls(model, facts);
  model.diagnostics.sort((a, b) => a.span.start - b.span.start || (a.code < b.code ? -1 : 1));
  return { model, facts, directive, functions, definitions, classes, broken: parsed.problems.length > 0 };
}

function emptyProgram(): t.Program {
  return {
    type: 'Program',
    start: 0,
    end: 0,
    body: [],
    directives: [],
    sourceType: 'module',
    interpreter: null,
  } as unknown as t.Program;
}

/** Imports are declared before the walk, which has to know what `defineAction` means wherever it stands. */
function declareImports(model: Model): {
  definers: Map<string, Definer>;
  symbols: Map<string, 'serialize' | 'deserialize'>;
} {
  const definers = new Map<string, Definer>();
  const symbols = new Map<string, 'serialize' | 'deserialize'>();
  for (const node of model.program.body) {
    if (node.type === 'ImportDeclaration') {
      const typeOnly = node.importKind === 'type';
      for (const specifier of node.specifiers) {
        const local = specifier.local.name;
        model.module.declare({
          name: local,
          kind: 'import',
          scope: model.module,
          node: specifier.local,
          declaration: specifier,
          refs: [],
        });
        if (typeOnly) continue;
        const source = node.source.value;
        const namespace = specifier.type === 'ImportNamespaceSpecifier';
        const imported =
          specifier.type === 'ImportSpecifier'
            ? specifier.imported.type === 'Identifier'
              ? specifier.imported.name
              : specifier.imported.value
            : '';
        if (givesPart(source, 'durable')) model.sdk.add(local);
        if (givesPart(source, 'definitions')) {
          const definer = namespace ? 'namespace' : definerOf(imported);
          if (definer) definers.set(local, definer);
        }
        if (givesPart(source, 'symbols')) {
          if (namespace)
            for (const [name, meaning] of Object.entries(SYMBOL_NAMES))
              symbols.set(`${local}.${name}`, meaning as 'serialize');
          const meaning = Object.hasOwn(SYMBOL_NAMES, imported) ? SYMBOL_NAMES[imported] : undefined;
          if (meaning) symbols.set(local, meaning);
        }
      }
      continue;
    }
    const declaration = node.type === 'ExportNamedDeclaration' ? node.declaration : node;
    if (declaration?.type !== 'VariableDeclaration') continue;
    for (const { id, init } of declaration.declarations) {
      const meaning = init && symbolFor(unwrap(init));
      if (meaning && id.type === 'Identifier') symbols.set(id.name, meaning);
    }
  }
  return { definers, symbols };
}

function readClasses(model: Model, functions: DirectiveFunction[]): { fact: ClassFact; site: ClassSite }[] {
  const found: { fact: ClassFact; site: ClassSite }[] = [];
  for (const site of model.classes) {
    const hasSteps = functions.some(
      (fn) =>
        fn.fact.kind === 'step' && fn.site.ancestors.includes(site.node.body) && (fn.fact.usesThis || fn.lexicalThis),
    );
    if (!site.serialize && !site.deserialize && !hasSteps) continue;
    const { path } = placeOf(site.ancestors, site.node);
    if (path === null || !runsOnceAtLoad(site.ancestors, site.node)) continue;
    const at: Node = site.node.id ?? site.node;
    found.push({
      site,
      fact: {
        id: `${model.packageName ? `${model.packageName}/` : ''}${model.file}#${path}`,
        name: path.split(/[/.#]/).pop() as string,
        span: model.positions.span(site.node.start as number, site.node.end as number),
        nameSpan: model.positions.span(
          at.start as number,
          site.node.id ? (at.end as number) : (at.start as number) + 'class'.length,
        ),
        serialize: site.serialize,
        deserialize: site.deserialize,
      },
    });
  }
  return found;
}

function formatOf(model: Model): 'esm' | 'cjs' {
  const esm = model.program.body.some(
    (node) =>
      node.type === 'ImportDeclaration' ||
      node.type === 'ExportNamedDeclaration' ||
      node.type === 'ExportDefaultDeclaration' ||
      node.type === 'ExportAllDeclaration',
  );
  if (esm) return 'esm';
  if (/\.c[jt]s$/.test(model.file)) return 'cjs';
  return model.usesCommonJs ? 'cjs' : 'esm';
}
