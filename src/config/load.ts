import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { LoadConfigOptions } from 'c12';
import type { z } from 'zod';
import { createDiagnostic } from '../diagnostics/create.ts';
import { jsonErrorAt } from '../diagnostics/json-place.ts';
import { nearest } from '../diagnostics/nearest.ts';
import { Positions } from '../diagnostics/positions.ts';
import type { Diagnostic, Span } from '../diagnostics/types.ts';
import { PawlError } from '../errors.ts';
import { orStalled } from '../idle.ts';
import { configFile, defaultConfig, type LoadedConfig, withDefaults } from './files.ts';
import { type Compiler, writtenPlace } from './places.ts';
import { configSchema, OPTION_NAMES, type PawlConfig } from './schema.ts';

/** A configuration that cannot be used: code `PAWL9005`, with every finding as a diagnostic. */
export class ConfigError extends PawlError {
  override readonly name = 'ConfigError';
  readonly diagnostics: readonly Diagnostic[];

  /** What was read, as far as it could be. */
  readonly config: unknown;

  constructor(diagnostics: readonly [Diagnostic, ...Diagnostic[]], cause?: unknown, config?: unknown) {
    const [{ code, message, remedy, file, span }] = diagnostics;
    const others = diagnostics.length > 1 ? ` (and ${diagnostics.length - 1} more)` : '';
    super(code, `${message}${others}`, { place: `${file}:${span.line}:${span.column}`, remedy, cause });
    this.diagnostics = diagnostics;
    this.config = config;
  }
}

/**
 * Reads `pawl.config.{ts,mts,js,mjs,cjs,json}` of a project. Without one the defaults hold.
 *
 * @param root absolute folder of the project
 * @returns options with defaults, and the source, to be handed to `createSession` as `configSource`
 * @throws ConfigError `PAWL9005`: it cannot be read, throws, has an unknown option or a value of the wrong kind
 * @example
 * const { config } = await loadConfig(process.cwd());
 * config.store; // 'sqlite:.pawl/pawl.db'
 */
export async function loadConfig(root: string): Promise<LoadedConfig> {
  const file = configFile(root);
  if (!file || file.endsWith('.json')) return readConfig(root);
  const text = readText(root, file);
  return accept(await evaluate(root, file, text), file, text);
}

/** Whether a project's configuration is code, which has to be run. */
export function mustRun(root: string): boolean {
  return configFile(root)?.endsWith('.json') === false;
}

/** Reads a configuration that is data; the defaults hold where there is none. */
export function readConfig(root: string): LoadedConfig {
  const file = configFile(root);
  if (!file) return defaultConfig();
  const text = readText(root, file);
  return accept(parseJson(text, file), file, text);
}

function accept(value: unknown, file: string, text: string): LoadedConfig {
  const parsed = configSchema.safeParse(value ?? {});
  if (!parsed.success) {
    const [first, ...more] = parsed.error.issues.flatMap((issue) => describe(issue, file, text));
    throw new ConfigError([first as Diagnostic, ...more], undefined, value);
  }
  return { config: withDefaults(parsed.data as PawlConfig), source: { file, text } };
}

function readText(root: string, file: string): string {
  const path = join(root, file);
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = statSync(path).isDirectory() ? 'it is a directory' : (error as Error).message;
    throw failure(file, '', null, `The configuration cannot be read: ${reason}.`, { cause: error });
  }
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // Some messages quote the text, which has several lines.
    const message = (error as Error).message.replace(/, (?:\.\.\.)?"[^]*$/, '');
    const at = jsonErrorAt(text) ?? 0;
    throw failure(file, text, { start: at, end: at }, `The configuration is not JSON: ${message}.`, { cause: error });
  }
}

/** Runs the file. c12 strips its types and lets it import what it likes; nothing is merged into it from elsewhere. */
async function evaluate(root: string, file: string, text: string): Promise<unknown> {
  const { loadConfig: load } = await import('c12');
  const options: LoadConfigOptions = {
    cwd: root,
    configFile: file,
    rcFile: false,
    globalRc: false,
    packageJson: false,
    dotenv: false,
    envName: false,
    giget: false,
    extend: false,
    omit$Keys: false,
    // There is one source, to be taken as it is: merging would make an object of a value that is none.
    merger: (...sources) => sources.find((source) => source !== undefined && source !== null) ?? {},
    // Also where pawl is not installed in the project (npx), and always this very version.
    jitiOptions: {
      alias: { 'pawl/config': ownEntry() },
      moduleCache: false,
      fsCache: cacheFolder(root),
      sourceMaps: true,
    },
  };
  try {
    const { config } = await orStalled(load(options), () => stalled(file, text));
    if (isEmpty(config) && !EXPORTS.test(text)) throw unexported(file, text);
    return config;
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    const reason = line.replace(/[\s.]+$/, '');
    throw failure(
      file,
      text,
      placeInStack(error, { root, file, text, compiler: options.jiti }),
      `The configuration could not be loaded: ${reason}.`,
      {
        cause: error,
      },
    );
  }
}

/** What any way to export a configuration has in it. */
const EXPORTS = /\b(?:default|exports)\b|\bexport\s*(?:=|\*)/;

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function unexported(file: string, text: string): ConfigError {
  const at = text.search(/\bdefineConfig\s*\(/);
  const place = at < 0 ? null : { start: at, end: at + 'defineConfig'.length };
  return failure(file, text, place, 'The configuration exports nothing, so none of it holds.', {
    remedy: 'Write `export default defineConfig({ … })`.',
  });
}

/**
 * Where stripped configurations are kept, by their text: what strips them takes longer to load than all the rest. In the nearest folder of
 * packages: a project in a monorepo may have none of its own.
 */
function cacheFolder(root: string): string | false {
  for (let folder = root; ; folder = dirname(folder)) {
    const packages = join(folder, 'node_modules');
    if (statSync(packages, { throwIfNoEntry: false })?.isDirectory()) return join(packages, '.cache', 'pawl', 'config');
    if (dirname(folder) === folder) return false;
  }
}

/** The first line that begins with an `await` is most likely the one. */
function stalled(file: string, text: string): ConfigError {
  const at = text.search(/(?<=^(?![\t ]).*)\bawait\b/m);
  const place = at < 0 ? null : { start: at, end: at + 'await'.length };
  const where = at < 0 ? 'of a module that it imports ' : '';
  return failure(
    file,
    text,
    place,
    `The configuration could not be loaded: a top-level \`await\` ${where}waits for something that will never come.`,
    { remedy: 'See to it that the promise is settled, or leave it out.' },
  );
}

/** The module that gives `defineConfig` and `loadConfig`. */
export function ownEntry(): string {
  const here = fileURLToPath(import.meta.url);
  if (here.endsWith('.ts')) return here.replace(/load\.ts$/, 'index.ts');
  // The plugin for tsserver is one file in a folder beside that of all others.
  return [join(here, '..', 'config.js'), join(here, '..', '..', 'dist', 'config.js')].find(existsSync) ?? 'pawl/config';
}

interface Thrown {
  root: string;
  file: string;
  text: string;
  /** c12 leaves it in its options. */
  compiler: Compiler | undefined;
}

/** Where in the file it was thrown, or does not parse. */
function placeInStack(error: unknown, { root, file, text, compiler }: Thrown): { start: number; end: number } | null {
  if (!(error instanceof Error)) return null;
  const path = join(root, file);
  for (const prefix of [path, pathToFileURL(path).href]) {
    const at = `${error.message}\n${error.stack ?? ''}`.split(prefix)[1];
    const [, line, column] = /^:(\d+):(\d+)/.exec(at ?? '') ?? [];
    if (!line || !column) continue;
    const named = { line: Number(line), column: Number(column) };
    // What does not parse was not compiled, and Babel counts columns from 0.
    const place = error.message.includes(`${prefix}:${line}:${column}`)
      ? { ...named, column: named.column + 1 }
      : writtenPlace(compiler, path, text, named);
    const start = new Positions(text).lineStarts[place.line - 1];
    if (start === undefined) continue;
    const offset = calleeBefore(text, Math.min(start + place.column - 1, text.length));
    return { start: offset, end: offset };
  }
  return missingImport(error.message, text);
}

/** A call of an import is compiled to `(0, module.name)(…)`, whose place is that of what follows the name. */
function calleeBefore(text: string, offset: number): number {
  const name = /[(<]/.test(text.charAt(offset)) ? (/[\w$]+$/.exec(text.slice(0, offset))?.[0] ?? '') : '';
  return offset - name.length;
}

/** What is imported and not there is in no stack, but in the message. */
function missingImport(message: string, text: string): { start: number; end: number } | null {
  const specifier = /^Cannot find (?:module|package) '([^']+)'/.exec(message)?.[1];
  const start = specifier === undefined ? -1 : text.search(new RegExp(`(["'])${escaped(specifier)}\\1`));
  return specifier === undefined || start < 0 ? null : { start, end: start + specifier.length + 2 };
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** A finding for each thing that an issue of the schema is about. */
function describe(issue: z.core.$ZodIssue, file: string, text: string): Diagnostic[] {
  const diagnostic = (key: string, message: string, remedy?: string): Diagnostic =>
    createDiagnostic('configuration-error', { file, span: spanOf(key, text), message, remedy });
  if (issue.code === 'unrecognized_keys' && issue.path.length === 0) {
    return issue.keys.map((key) => {
      const meant = nearest(key, OPTION_NAMES);
      const remedy = meant ? `Did you mean \`${meant}\`?` : `The options are ${OPTION_NAMES.join(', ')}.`;
      return diagnostic(key, `There is no option \`${key}\`.`, remedy);
    });
  }
  const path = issue.path.map(String).join('.');
  if (path === '') return [diagnostic('', `The configuration is not an object: ${issue.message}.`)];
  return [diagnostic(String(issue.path[0]), `\`${path}\` has a wrong value: ${issue.message}.`)];
}

/** The key where it is set, else the start of the file. */
function spanOf(key: string, text: string): Span {
  const at = key === '' ? -1 : text.search(new RegExp(`(?<![\\w$-])${escaped(key)}['"]?\\s*:`));
  return new Positions(text).span(Math.max(0, at), at < 0 ? 0 : at + key.length);
}

function failure(
  file: string,
  text: string,
  place: { start: number; end: number } | null,
  message: string,
  { cause, remedy }: { cause?: unknown; remedy?: string },
): ConfigError {
  const span = new Positions(text).span(place?.start ?? 0, place?.end ?? 0);
  return new ConfigError([createDiagnostic('configuration-error', { file, span, message, remedy })], cause);
}
