import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createContext, Script } from 'node:vm';
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';
import { afterAll, expect } from 'vitest';
import { type BuildOptions, type BuildOutput, type BuildResult, build } from '../../src/bundler/index.ts';
import { formatTsc } from '../../src/diagnostics/index.ts';
import { type CompiledApiName, VIRTUAL_GLOBALS, WORKFLOW_API } from '../../src/manifest/bundle-format.ts';
import { ROOT } from '../support/dist.ts';

export type Files = Record<string, string>;

const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A project on disk that goes when the test file is done. Packages of this repository are linked in by name. */
export function project(files: Files, packages: readonly string[] = []): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'pawl-build-')));
  folders.push(root);
  write(root, files);
  for (const name of packages) {
    const link = join(root, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    if (!existsSync(link)) symlinkSync(join(ROOT, 'node_modules', name), link);
  }
  return root;
}

export function write(root: string, files: Files): void {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
}

/** Builds, and fails the test with the findings unless there are none. */
export async function buildClean(root: string, options: Omit<BuildOptions, 'root'> = {}): Promise<BuildOutput> {
  const result = await build({ root, ...options });
  expect(formatTsc(result.diagnostics)).toBe('');
  if (!result.output) throw new Error('no output');
  return result.output;
}

/** Findings as `file(line,column): error CODE: …`, one a line. */
export function findings(result: Pick<BuildResult, 'diagnostics'>): string[] {
  return formatTsc(result.diagnostics)
    .split('\n')
    .filter((line) => line !== '');
}

export function text(output: BuildOutput, name: string): string {
  const file = output.files.find((each) => each.name === name);
  if (!file) throw new Error(`no ${name}`);
  return file.text;
}

/** Where the first appearance of a text in a bundle comes from: `src/a.ts:3:9`, or null. */
export function originOf(output: BuildOutput, bundle: 'workflows.js' | 'steps.js', needle: string): string | null {
  const code = text(output, bundle);
  const offset = code.indexOf(needle);
  if (offset < 0) throw new Error(`${bundle} has no ${needle}`);
  const before = code.slice(0, offset).split('\n');
  const map = new TraceMap(JSON.parse(text(output, `${bundle}.map`)));
  const at = originalPositionFor(map, { line: before.length, column: before.at(-1)?.length ?? 0 });
  return at.source === null ? null : `${at.source.replace('../', '')}:${at.line}:${at.column + 1}`;
}

/** Where a text stands in a source: `src/a.ts:3:9`. */
export function placeOf(files: Files, file: string, needle: string): string {
  const before = (files[file] ?? '').split(needle)[0]?.split('\n') ?? [];
  return `${file}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
}

export interface Loaded {
  /** Workflows by id. */
  workflows: Map<string, (...args: unknown[]) => Promise<unknown>>;
  /** Step calls in order, with their arguments. */
  calls: [id: string, args: unknown[], captures?: unknown[]][];
}

/** Runs the workflow bundle in a context that has nothing but the language. Steps give `result(id, args)`. */
export function loadWorkflows(
  output: BuildOutput,
  result: (id: string, args: unknown[]) => unknown = () => 'done',
): Loaded {
  const loaded: Loaded = { workflows: new Map(), calls: [] };
  const call = async (id: string, args: unknown[], captures?: unknown[]): Promise<unknown> => {
    loaded.calls.push(captures ? [id, [...args], [...captures]] : [id, [...args]]);
    return result(id, args);
  };
  const compiled: Record<CompiledApiName, unknown> = {
    step:
      (id: string, captures?: () => unknown[]) =>
      (...args: unknown[]) =>
        call(id, args, captures?.()),
    call,
    ref: () => undefined,
    workflow: (id: string, fn: (...args: unknown[]) => Promise<unknown>) => {
      loaded.workflows.set(id, fn);
      return fn;
    },
    child: async () => undefined,
    cls: (_id: string, Class: unknown) => Class,
    action: (slug: string) => ({ slug, run: (input: unknown) => call(slug, [input]) }),
    workflowDefinition: (slug: string, definition: { run: (...args: unknown[]) => Promise<unknown> }) => {
      loaded.workflows.set(slug, definition.run);
      return { slug, ...definition };
    },
  };
  const globals = Object.fromEntries(VIRTUAL_GLOBALS.map((name) => [name, undefined]));
  const api = Object.fromEntries(WORKFLOW_API.map((name) => [name, async () => undefined]));
  const context = createContext(Object.create(null), { codeGeneration: { strings: false, wasm: false } });
  const run = new Script(text(output, 'workflows.js')).runInContext(context) as (pawl: unknown) => void;
  run({ globals: { ...globals, Math, Date }, api, compiled });
  return loaded;
}
