import { isAbsolute, join, resolve } from 'node:path';
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';
import {
  createManifest,
  MANIFEST_FILE,
  type Manifest,
  STEPS_FILE,
  serializeManifest,
  WORKFLOWS_FILE,
  wrapWorkflowBundle,
} from '../manifest/index.ts';
import { VERSION } from '../version.ts';
import type { BuildFiles, BundleTarget } from './files.ts';
import { composeMap, type FinalMap, type Original } from './maps.ts';
import { isOwnFile } from './own.ts';
import type { ProgramDescription } from './program.ts';
import type { BundleOutput } from './rolldown.ts';
import type { BuildOutput } from './types.ts';

/** Leads a bundle's map to the user's files; done again only when the bundle or a map of a module changed. */
export class MapComposer {
  readonly #outDir: string;
  readonly #files: BuildFiles;
  readonly #target: BundleTarget;
  #last: { output: BundleOutput; originals: Map<string, Original | null | undefined>; map: FinalMap } | null = null;

  constructor(outDir: string, files: BuildFiles, target: BundleTarget) {
    this.#outDir = outDir;
    this.#files = files;
    this.#target = target;
  }

  compose(output: BundleOutput, file: string): FinalMap {
    if (this.#last?.output === output && this.#isCurrent(this.#last.originals)) return this.#last.map;
    const originals = new Map<string, Original | null | undefined>();
    const map = composeMap(output.map, file, (source) => {
      const original = this.original(source);
      originals.set(source, original);
      return original;
    });
    this.#last = { output, originals, map };
    return map;
  }

  /** @param source - as the bundle's map names it: relative to the output folder, or the id of a virtual module */
  original(source: string): Original | null | undefined {
    const path = isAbsolute(source) ? source : resolve(this.#outDir, source);
    if (source.includes('\0') || source.includes('pawl:') || isOwnFile(path)) return null;
    if (/[\\/]node_modules[\\/]/.test(path)) return undefined;
    const file = this.#files.relative(path);
    if (!/\.[cm]?[jt]sx?$/.test(file)) return undefined;
    const source_ = this.#files.get(file);
    const code = this.#files.code(file, this.#target);
    return source_ && code ? { text: source_.text, map: code.map } : undefined;
  }

  /** Where a place in the bundle (line from 1, column from 1) comes from; null when it is nobody's. */
  locate(output: BundleOutput, line: number, column: number): { file: string; line: number; column: number } | null {
    const at = originalPositionFor(new TraceMap(this.compose(output, '') as never), { line, column: column - 1 });
    if (at.source === null || /(?:^|\/)node_modules\//.test(at.source)) return null;
    return { file: this.#files.relative(resolve(this.#outDir, at.source)), line: at.line, column: at.column + 1 };
  }

  #isCurrent(originals: ReadonlyMap<string, Original | null | undefined>): boolean {
    for (const [source, before] of originals) {
      const now = this.original(source);
      if (now?.text !== before?.text || now?.map !== before?.map) return false;
    }
    return true;
  }
}

export interface Chunk {
  code: string;
  map: FinalMap;
}

/** The files of the output folder, in the order of writing: a reader that sees the manifest finds its bundles. */
export function assemble(described: ProgramDescription, workflows: Chunk, steps: Chunk): BuildOutput {
  const wrapped = wrapWorkflowBundle(workflows.code, workflows.map);
  const texts = {
    workflows: withMapComment(wrapped.code, WORKFLOWS_FILE),
    steps: withMapComment(steps.code, STEPS_FILE),
  };
  const manifest: Manifest = createManifest({ pawl: VERSION, ...described, bundles: texts });
  return {
    manifest,
    files: [
      { name: `${WORKFLOWS_FILE}.map`, text: mapText(wrapped.map, WORKFLOWS_FILE) },
      { name: `${STEPS_FILE}.map`, text: mapText(steps.map, STEPS_FILE) },
      { name: WORKFLOWS_FILE, text: texts.workflows },
      { name: STEPS_FILE, text: texts.steps },
      { name: MANIFEST_FILE, text: serializeManifest(manifest) },
    ],
  };
}

function withMapComment(code: string, file: string): string {
  return `${code.endsWith('\n') ? code : `${code}\n`}//# sourceMappingURL=${file}.map\n`;
}

function mapText(map: FinalMap, file: string): string {
  return `${JSON.stringify({ ...map, file })}\n`;
}

export function outputPath(root: string, outDir: string | undefined): string {
  return join(root, outDir ?? '.pawl');
}
