/**
 * Which file may import which. The rules keep the four parts apart: the compiler side and the run side meet only in the
 * manifest, so that a worker never loads a parser and a build never opens a database.
 */
import { posix } from 'node:path';
import { parse } from '@babel/parser';

/** Files of the project by path relative to the root, with `/`. */
export type Sources = ReadonlyMap<string, string>;

interface ImportOf {
  specifier: string;
  line: number;
  typeOnly: boolean;
}

interface ZoneRule {
  /** Zones whose every file may be imported. */
  zones: readonly string[];
  /** Single files that may be imported besides. */
  files?: readonly string[];
  /** Files of which only types may be imported. */
  types?: readonly string[];
  /** Packages: all (undefined), or these. */
  packages?: readonly string[];
}

/** Public entries and the front doors of the other zones: what the command line and the test runtime may use. */
const ENTRIES = [
  'src/index.ts',
  'src/agents/agent-entry.ts',
  'src/runtime/client.ts',
  'src/runtime/index.ts',
  'src/testing/index.ts',
  'src/compiler/index.ts',
  'src/checker/index.ts',
  'src/checker/recall.ts',
  'src/manifest/index.ts',
  'src/bundler/index.ts',
  'src/config/index.ts',
  'src/config/files.ts',
  'src/editor/index.ts',
  'src/linter/index.ts',
  'src/rules/index.ts',
  'src/store/index.ts',
  'src/store/open.ts',
  'src/store/url.ts',
  'src/store/port.ts',
  'src/store/events.ts',
  'src/diagnostics/index.ts',
];

/** Imported by all; import nothing of ours. */
const COMMON = [
  'src/directories.ts',
  'src/errors.ts',
  'src/idle.ts',
  'src/leaf.ts',
  'src/sdk-names.ts',
  'src/secrets.ts',
  'src/sdks.ts',
  'src/tool-levels.ts',
  'src/version.ts',
];

const ZONES: Record<string, ZoneRule> = {
  'src/diagnostics': { zones: [] },
  'src/manifest': { zones: ['src/diagnostics'], packages: ['zod'] },
  'src/compiler': { zones: ['src/diagnostics', 'src/manifest'] },
  'src/rules': { zones: ['src/diagnostics'], types: ['src/compiler/facts.ts'] },
  'src/checker': { zones: ['src/compiler', 'src/rules', 'src/diagnostics'] },
  'src/bundler': { zones: ['src/compiler', 'src/checker', 'src/manifest', 'src/diagnostics'] },
  'src/store': { zones: ['src/diagnostics'] },
  'src/runtime': { zones: ['src/manifest', 'src/diagnostics'], files: ['src/store/port.ts', 'src/store/events.ts'] },
  'src/agents': { zones: ['src/runtime', 'src/manifest', 'src/diagnostics'], files: ['src/store/port.ts'] },
  'src/internal': { zones: ['src/agents', 'src/runtime'] },
  'src/config': { zones: ['src/diagnostics', 'src/rules'] },
  // Between the checker and editors, as `src/bundler` is between the compiler and bundlers: it asks facts and findings.
  'src/editor': { zones: ['src/checker', 'src/rules', 'src/compiler', 'src/config', 'src/diagnostics'] },
  // Likewise between the checker and linters. Where a file belongs it decides as editors do.
  'src/linter': {
    zones: ['src/checker', 'src/rules', 'src/config', 'src/diagnostics'],
    files: ['src/editor/roots.ts'],
  },
  'src/testing': { zones: [], files: ENTRIES },
  'src/cli': {
    zones: [],
    files: [...ENTRIES, 'src/runtime/serialization/codec.ts', 'src/runtime/serialization/symbols.ts'],
  },
  plugins: { zones: [] },
};

/** Entry files that put the run side together: the one place where a store driver meets the runtime. */
const COMPOSITION: Record<string, readonly string[]> = {
  'src/runtime/index.ts': ['src/store/index.ts', 'src/store/open.ts'],
  'src/runtime/client.ts': ['src/store/index.ts', 'src/store/open.ts'],
};

/** Packages that belong to one zone. */
const PACKAGE_HOMES: readonly { name: RegExp; homes: readonly string[] }[] = [
  { name: /^@babel\/code-frame$/, homes: ['src/diagnostics'] },
  { name: /^@babel\/(?!code-frame$)/, homes: ['src/compiler'] },
  { name: /^typescript(\/|$)/, homes: ['src/checker', 'src/editor', 'plugins'] },
  { name: /^rolldown(\/|$)/, homes: ['src/bundler', 'plugins'] },
  { name: /^(unplugin|vite|webpack|esbuild|rollup)(\/|$)/, homes: ['plugins'] },
  { name: /^(vitest|fast-check|eslint)(\/|$)/, homes: ['plugins'] },
  { name: /^(node:sqlite|@photostructure\/sqlite)$/, homes: ['src/store'] },
  { name: /^vscode-languageserver(?:-|\/|$)/, homes: ['plugins'] },
  { name: /^cac$/, homes: ['src/cli'] },
];

const MAX_LINES = 600;

/** Every import of a module: statements, re-exports, `import('…')` and `import('…').Type`. */
export function importsOf(source: string, filename: string): ImportOf[] {
  const ast = parse(source, {
    sourceType: 'module',
    sourceFilename: filename,
    plugins: ['typescript', 'explicitResourceManagement', 'importAttributes'],
  });
  const found: ImportOf[] = [];
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      for (const each of node) visit(each);
      return;
    }
    if (typeof node !== 'object' || node === null || !('type' in node)) return;
    const it = node as Record<string, unknown> & { type: string; loc?: { start: { line: number } } };
    const add = (target: unknown, typeOnly: boolean): void => {
      const specifier = (target as { value?: unknown } | null)?.value;
      if (typeof specifier === 'string') found.push({ specifier, line: it.loc?.start.line ?? 0, typeOnly });
    };
    if (it.type === 'ImportDeclaration') {
      const specifiers = it.specifiers as { importKind?: string }[];
      const allTypes = specifiers.length > 0 && specifiers.every((each) => each.importKind === 'type');
      add(it.source, it.importKind === 'type' || allTypes);
    } else if (it.type === 'ExportNamedDeclaration' || it.type === 'ExportAllDeclaration') {
      add(it.source, it.exportKind === 'type');
    } else if (it.type === 'TSImportType') {
      add(it.argument, true);
    } else if (it.type === 'CallExpression' && (it.callee as { type: string }).type === 'Import') {
      add((it.arguments as unknown[])[0], false);
    }
    for (const [key, value] of Object.entries(it)) if (key !== 'loc') visit(value);
  };
  visit(ast.program);
  return found;
}

const zoneOf = (file: string): string | undefined =>
  Object.keys(ZONES).find((zone) => file.startsWith(`${zone}/`)) ?? (ENTRIES.includes(file) ? 'entry' : undefined);

/**
 * @param sources all files under src/ and plugins/
 * @returns one sentence for each broken rule, with file and line
 */
export function findViolations(sources: Sources): string[] {
  const problems: string[] = [];
  const graph = new Map<string, string[]>();
  for (const [file, source] of sources) {
    const lines = source.split('\n').length - 1;
    if (lines > MAX_LINES) problems.push(`${file}: ${lines} lines; past ${MAX_LINES} a file wants splitting`);
    const zone = zoneOf(file);
    if (!zone && !COMMON.includes(file) && !file.endsWith('.d.ts')) {
      problems.push(`${file}: stands in no part that has an import rule`);
      continue;
    }
    const edges: string[] = [];
    graph.set(file, edges);
    for (const { specifier, line, typeOnly } of importsOf(source, file)) {
      const at = `${file}:${line}`;
      if (specifier.startsWith('.')) {
        const target = posix.join(posix.dirname(file), specifier.replace(/\?.*$/, ''));
        if (!/\.(ts|json)$/.test(target)) problems.push(`${at}: '${specifier}' lacks its .ts suffix`);
        // Types are gone when it runs; with `?` it is the text of a script for the realm, no code of this module.
        if (!typeOnly && !specifier.includes('?')) edges.push(target);
        const problem = checkOwn(file, zone, target, typeOnly);
        if (problem) problems.push(`${at}: ${problem}`);
      } else {
        const problem = checkPackage(zone, specifier);
        if (problem) problems.push(`${at}: ${problem}`);
      }
    }
  }
  for (const cycle of findCycles(graph)) problems.push(`import cycle: ${cycle.join(' -> ')}`);
  return problems;
}

function checkOwn(file: string, zone: string | undefined, target: string, typeOnly: boolean): string | null {
  if (COMMON.includes(target) || (COMMON.includes(file) && target === 'package.json')) return null;
  if (COMMON.includes(file)) return `${file} is imported by all and may import nothing of ours`;
  if (zone === 'entry') return null;
  const rule = zone ? ZONES[zone] : undefined;
  if (!zone || !rule) return null;
  if (target.startsWith(`${zone}/`)) return null;
  if (zone === 'plugins') return 'a plugin imports public entry points only (pawl, pawl/…)';
  if (rule.zones.some((allowed) => target.startsWith(`${allowed}/`))) return null;
  if (rule.files?.includes(target) || COMPOSITION[file]?.includes(target)) return null;
  if (rule.types?.includes(target)) return typeOnly ? null : `of ${target} only types may be imported here`;
  return `${zone} may not import ${target}`;
}

function checkPackage(zone: string | undefined, specifier: string): string | null {
  if (!zone || zone === 'entry') return null;
  const homes = PACKAGE_HOMES.find(({ name }) => name.test(specifier))?.homes;
  if (homes && !homes.includes(zone)) return `${specifier} is imported in ${homes.join(', ')} alone`;
  const allowed = ZONES[zone]?.packages;
  if (allowed && !specifier.startsWith('node:') && !allowed.includes(specifier))
    return `${zone} may not import ${specifier}`;
  if (zone !== 'plugins' && zone !== 'src/testing' && zone !== 'src/cli' && /^pawl(\/|$)/.test(specifier)) {
    return `${zone} imports ${specifier}, its own package, by name`;
  }
  return null;
}

/** Each cycle once, as a path that ends where it began. */
function findCycles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    const start = path.indexOf(file);
    if (start !== -1) {
      cycles.push([...path.slice(start), file]);
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const next of graph.get(file) ?? []) visit(next);
    path.pop();
    done.add(file);
  };
  for (const file of graph.keys()) visit(file);
  return cycles;
}
