import { traceSegment } from '@jridgewell/trace-mapping';
import type { RolldownLog } from 'rolldown';
import { packageOf, unresolvedImport } from '../checker/imports.ts';
import { createDiagnostic } from '../diagnostics/create.ts';
import { nearest } from '../diagnostics/nearest.ts';
import { Positions } from '../diagnostics/positions.ts';
import type { Diagnostic, RelatedPlace, Span } from '../diagnostics/types.ts';
import type { BundleTarget, BuildFiles } from './files.ts';
import { WORKFLOW_API } from '../manifest/index.ts';
import { traceMap } from './maps.ts';
import { ownFiles } from './own.ts';
import { type BundleOutput, firstLine, VIRTUAL } from './rolldown.ts';
import { stubbedModule } from './virtual.ts';

/** What is needed to lead findings of the bundler back to the user's files. */
export interface LogContext {
  files: BuildFiles;
  target: BundleTarget;
}

export interface DiagnoseContext {
  files: BuildFiles;
  /** Leads a place in the bundle (line and column from 1) to the user's file. */
  locate: (line: number, column: number) => { file: string; line: number; column: number } | null;
  /** The rules have looked at what the user's own modules do. */
  judged?: boolean;
}

/** Errors of rolldown, or those of its warnings that are errors for pawl, as diagnostics at the user's own text. */
export function diagnoseLogs(logs: readonly RolldownLog[], context: LogContext): Diagnostic[] {
  return logs.flatMap((log) => diagnoseLog(log, context) ?? []);
}

const TSCONFIG = /Failed to load tsconfig '([^']+)': (.*?)(?: at line (\d+) column (\d+))?\.?$/;

function diagnoseLog(log: RolldownLog, context: LogContext): Diagnostic | null {
  const { files } = context;
  const tsconfig = TSCONFIG.exec(firstLine(log.message));
  if (tsconfig) return diagnoseTsconfig(tsconfig, files);
  const path = log.loc?.file ?? log.id;
  const file = path === undefined || path.startsWith('\0') ? '' : files.relative(path);
  const text = file === '' ? '' : (files.get(file)?.text ?? '');
  const offset = originalOffset(log, file, text, context);
  switch (log.code) {
    case 'UNRESOLVED_IMPORT': {
      const specifier = log.exporter ?? quotedIn(log.message);
      if (isGuarded(text, offset)) return null;
      return unresolvedImport(specifier, path ?? '', { file, span: spanOf(text, offset, /^(['"`]).*?\1/) });
    }
    case 'PARSE_ERROR':
      return createDiagnostic('syntax-error', {
        file,
        span: spanOf(text, offset, /^\S/),
        message: `${sentence(firstLine(log.message))}.`,
      });
    case 'MISSING_EXPORT':
      return createDiagnostic('unbundlable-module', {
        file,
        span: spanOf(text, offset, /^[\w$]+/),
        ...explainMissing(firstLine(log.message), file, files),
      });
    default:
      return createDiagnostic('unbundlable-module', {
        file,
        span: spanOf(text, offset, /^\S/),
        message: `${sentence(firstLine(log.message))}.`,
      });
  }
}

function diagnoseTsconfig([, file = '', reason = '', line, column]: RegExpExecArray, files: BuildFiles): Diagnostic {
  const text = files.get(file)?.text ?? '';
  const offset = line ? (new Positions(text).lineStarts[Number(line) - 1] ?? 0) + Number(column) - 1 : 0;
  return createDiagnostic('configuration-error', {
    file,
    span: new Positions(text).span(offset, offset),
    message: `This file does not parse: ${reason}.`,
    remedy: 'Repair it; `npx tsc --showConfig` tells more.',
  });
}

const NOT_EXPORTED = /^"(.+)" is not exported by "(.+)"/;

/** What stands in for `pawl` in a bundle has a name that nobody knows. */
function explainMissing(text: string, file: string, files: BuildFiles): { message: string; remedy: string } {
  const [, name = '', from = ''] = NOT_EXPORTED.exec(text) ?? [];
  const isPawl = from.includes('pawl:api') || ownFiles().api.endsWith(from.replace(/^(?:\.\.\/)+/, ''));
  if (from === '' || !isPawl) {
    return {
      message: `${sentence(text.replaceAll('"', '`'))}.`,
      remedy: 'Export it there, or correct the name. A type is imported with `import type`.',
    };
  }
  const source = files.facts(file)?.imports.find(({ imported }) => imported === name)?.source ?? 'pawl';
  const meant = nearest(name, WORKFLOW_API);
  const hint = meant === null ? 'pawl has nothing of that name.' : `Did you mean \`${meant}\`?`;
  return {
    message: `\`${name}\` is not exported by \`${source}\`.`,
    remedy: `${hint} A type is imported with \`import type\`.`,
  };
}

/** A package that is asked for at run time, in a `try` perhaps, may be absent. */
function isGuarded(text: string, offset: number): boolean {
  return /\b(?:require|import)\s*\(\s*$/.test(text.slice(Math.max(0, offset - 40), offset));
}

function quotedIn(message: string): string {
  return /'([^']*)'/.exec(message)?.[1] ?? '';
}

function sentence(text: string): string {
  const [first = ''] = text;
  return (first.toUpperCase() + text.slice(1)).replace(/\.$/, '');
}

/** Where a log points at, in the user's text: the bundler saw the transformed one. */
function originalOffset(log: RolldownLog, file: string, text: string, { files, target }: LogContext): number {
  if (!log.loc || text === '') return 0;
  let { line, column } = log.loc;
  const map = /(?:^|\/)node_modules\//.test(file) ? null : files.code(file, target)?.map;
  if (map) {
    const segment = traceSegment(traceMap(map), line - 1, column);
    if (!segment || segment.length === 1) return 0;
    column = segment[3] + (column - segment[0]);
    line = segment[2] + 1;
  }
  return (new Positions(text).lineStarts[line - 1] ?? 0) + column;
}

function spanOf(text: string, offset: number, token: RegExp): Span {
  const length = token.exec(text.slice(offset, offset + 500))?.[0].length ?? 0;
  return new Positions(text).span(offset, offset + length);
}

/** Files of kinds that no bundle takes, at the imports that lead to them. */
export function diagnoseAssets(output: BundleOutput, files: BuildFiles): Diagnostic[] {
  return output.assets.flatMap((asset) => {
    const importer = output.importers.get(asset)?.find(isUserFile);
    if (importer === undefined) return [];
    const file = files.relative(importer);
    return createDiagnostic('unbundlable-module', {
      file,
      span: importPlace(file, asset, files),
      message: `\`${files.relative(asset)}\` is no module: pawl bundles JavaScript, TypeScript and JSON.`,
      remedy: 'Read the file in a step, with `readFile` and `import.meta.dirname`.',
    });
  });
}

/**
 * What must not be in a workflow bundle: modules of Node, and imports that are left.
 *
 * The checker reports what it can follow, with the chain of calls; here is what it cannot see: a package that takes a module of
 * Node, a name that reaches it through a computed member.
 */
export function diagnoseWorkflowBundle(output: BundleOutput, context: DiagnoseContext): Diagnostic[] {
  const found: Diagnostic[] = [];
  const present = new Set(output.modules);
  for (const id of output.modules) {
    const stubbed = stubbedModule(id);
    if (stubbed) found.push(...diagnoseStub(id, stubbed, present, output, context));
  }
  found.push(...diagnoseSyntax(output, 'workflow', context));
  const told = new Set(output.logs.flatMap(({ exporter, id }) => (exporter && isUserFile(id) ? [exporter] : [])));
  for (const specifier of output.imports) {
    if (!specifier.startsWith('\0') && !told.has(specifier)) found.push(leftImport(specifier, output, context));
  }
  return found;
}

/** Syntax that is left in a bundle and cannot stay. In packages, whatever it is may never run. */
export function diagnoseSyntax(
  output: BundleOutput,
  target: BundleTarget,
  { files, locate }: DiagnoseContext,
): Diagnostic[] {
  const at = (offset: number, token: RegExp): { file: string; span: Span } | null => {
    const { line, column } = new Positions(output.code).at(offset);
    const place = locate(line, column);
    if (!place) return null;
    const text = files.get(place.file)?.text ?? '';
    const start = (new Positions(text).lineStarts[place.line - 1] ?? 0) + place.column - 1;
    return { file: place.file, span: spanOf(text, start, token) };
  };
  const imports = (target === 'workflow' ? output.syntax.imports : []).flatMap((offset) => at(offset, /^import/) ?? []);
  const decorators = output.syntax.decorators.flatMap((offset) => at(offset, /^@[\w$.]+/) ?? []);
  const accessors = output.syntax.accessors.flatMap((offset) => at(offset, /^(?:static\s+)?accessor\b/) ?? []);
  return [
    ...accessors.map((place) =>
      createDiagnostic('unbundlable-module', {
        ...place,
        message:
          'No version of Node knows `accessor` fields, and this one has a computed name that may be asked for only once.',
        remedy: 'Compute the name before the class, or write a private field with a getter and a setter.',
      }),
    ),
    ...imports.map((place) =>
      createDiagnostic('dynamic-import', {
        ...place,
        message: 'Workflow code imports a module whose name is computed: what it will be is not in the bundle.',
        remedy: 'Import the candidates by name, or move the import into a step.',
      }),
    ),
    ...decorators.map((place) =>
      createDiagnostic('unbundlable-module', {
        ...place,
        message: 'No version of Node knows decorators of the standard yet.',
        remedy: 'Set `"experimentalDecorators": true` in tsconfig.json if they are of that kind, or call the function.',
      }),
    ),
  ];
}

/** Suppressed where the module of the user's own that leads there says so. */
function diagnoseStub(
  id: string,
  { name, required }: { name: string; required: boolean },
  present: ReadonlySet<string>,
  output: BundleOutput,
  { files, judged }: DiagnoseContext,
): Diagnostic[] {
  const chain = chainTo(id, present, output, files);
  const [start, ...packages] = chain;
  // What a module of the user's own takes itself was judged by the rules, which found that no workflow comes to it: a class, say, of
  // which only steps call the method that reads files. Should one come to it after all, the stub says so.
  if (!start || (judged && packages.length === 0 && !name.startsWith('pawl'))) return [];
  const place = importPlace(start.file, start.next, files);
  const suppressed = files
    .facts(start.file)
    ?.suppressions.some(({ line, codes }) => line === place.line && codes.some(({ code }) => code === 'PAWL3002'));
  if (suppressed) return [];
  const through = packages.map(({ file }) => file);
  const what = name.startsWith('pawl') ? `\`${name}\`, which is not for workflows` : `Node's \`${name}\``;
  const diagnostic = createDiagnostic('io-in-workflow', {
    file: start.file,
    span: place,
    message:
      through.length === 0
        ? `Workflow code takes ${what}.`
        : `Workflow code takes ${what}, through ${through.map((file) => `\`${file}\``).join(' -> ')}.`,
    remedy: 'Move the code that needs it into a step; an import that only steps use stays out of the workflow bundle.',
    related: through.map(
      (file): RelatedPlace => ({ file, span: new Positions('').span(0, 0), message: 'which imports the next' }),
    ),
  });
  // A package that requires it at load may never use it in a workflow. Using it throws then, with its name.
  return [required && through.length > 0 ? { ...diagnostic, severity: 'warning' } : diagnostic];
}

interface Link {
  file: string;
  /** Id of the module that it imports. */
  next: string;
}

/** The shortest way from a module of the user's own to a module, through what is in the bundle. */
function chainTo(id: string, present: ReadonlySet<string>, { importers }: BundleOutput, files: BuildFiles): Link[] {
  const queue: { id: string; links: Link[] }[] = [{ id, links: [] }];
  const seen = new Set([id]);
  for (const { id: at, links } of queue) {
    for (const importer of importers.get(at) ?? []) {
      if (seen.has(importer) || importer.startsWith(VIRTUAL) || !present.has(importer)) continue;
      seen.add(importer);
      const chain = [{ file: files.relative(importer), next: at }, ...links];
      if (!/[\\/]node_modules[\\/]/.test(importer) && !importer.startsWith('\0')) return chain;
      queue.push({ id: importer, links: chain });
    }
  }
  return [];
}

/** The import in a user's module that leads to another module; its first character when it cannot be told. */
function importPlace(file: string, next: string, files: BuildFiles): Span {
  const text = files.get(file)?.text ?? '';
  const wanted = stubbedModule(next)?.name;
  for (const { source, span } of files.facts(file)?.imports ?? []) {
    const plain = source.replace(/^node:/, '');
    if (wanted === plain || (wanted === undefined && leadsTo(source, next))) return span;
  }
  return new Positions(text).span(0, 0);
}

function isUserFile(id: string | undefined): boolean {
  return id !== undefined && !/[\\/]node_modules[\\/]|^\0/.test(id);
}

/** Whether a specifier of a user's import may mean a resolved module: a guess for pointing, by the package's name. */
function leadsTo(source: string, path: string): boolean {
  const normal = path.replaceAll('\\', '/');
  if (source.startsWith('.')) return normal.includes(source.replace(/^[./]+/, '').replace(/\.[cm]?[jt]sx?$/, ''));
  return normal.includes(`/node_modules/${packageOf(source)}/`);
}

function leftImport(specifier: string, output: BundleOutput, { files }: DiagnoseContext): Diagnostic {
  const importer = (output.importers.get(specifier) ?? []).find((id) => output.modules.includes(id));
  const file = importer ? files.relative(importer) : '';
  const fact = file ? files.facts(file)?.imports.find(({ source }) => source === specifier) : undefined;
  return createDiagnostic('unresolved-import', {
    file,
    span: fact?.span ?? new Positions('').span(0, 0),
    message: `\`${specifier}\` does not resolve, and workflow code needs it.`,
    remedy: `Install the package (\`npm install ${packageOf(specifier)}\`), or correct the name.`,
  });
}
