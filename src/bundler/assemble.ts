import { isAbsolute, resolve } from 'node:path';
import { originalPositionFor } from '@jridgewell/trace-mapping';
import {
  createManifest,
  MANIFEST_FILE,
  PACKAGE_FILE,
  PACKAGE_TEXT,
  STEPS_FILE,
  serializeManifest,
  WORKFLOWS_FILE,
  wrapWorkflowBundle,
} from '../manifest/index.ts';
import { VERSION } from '../version.ts';
import type { BuildFiles, BundleTarget } from './files.ts';
import { ComposedMap, type FinalMap, type OriginalOf, traceMap } from './maps.ts';
import { isOwnFile } from './own.ts';
import type { ProgramDescription } from './program.ts';
import type { BundleOutput } from './rolldown.ts';
import type { BuildOutput } from './types.ts';
import { INSTALLED } from './package-home.ts';

/** Keeps the map of one bundle; it is composed again as far as the bundle or a module's map changed. */
export class BundleMap {
  readonly #outDir: string;
  readonly #files: BuildFiles;
  readonly #target: BundleTarget;
  readonly #file: string;
  #last: { output: BundleOutput; composed: ComposedMap; map: FinalMap } | null = null;

  constructor(outDir: string, files: BuildFiles, target: BundleTarget, file: string) {
    this.#outDir = outDir;
    this.#files = files;
    this.#target = target;
    this.#file = file;
  }

  /** The map of a bundle; the very object of the time before when nothing changed. */
  compose(output: BundleOutput): FinalMap {
    if (this.#last?.output !== output) {
      const composed = new ComposedMap(output.map, this.#originalOf);
      this.#last = { output, composed, map: composed.toMap(this.#file) };
    } else if (this.#last.composed.update(this.#originalOf)) {
      this.#last.map = this.#last.composed.toMap(this.#file);
    }
    return this.#last.map;
  }

  /** Where a place in the bundle (line and column from 1) comes from; null when it is nobody's. */
  locate(output: BundleOutput, line: number, column: number): { file: string; line: number; column: number } | null {
    const at = originalPositionFor(traceMap(this.compose(output)), { line, column: column - 1 });
    if (at.source === null || INSTALLED.test(at.source)) return null;
    return { file: this.#files.relative(resolve(this.#outDir, at.source)), line: at.line, column: at.column + 1 };
  }

  /** Names in the bundle's map are relative to the output folder, or ids of virtual modules. */
  readonly #originalOf: OriginalOf = (source) => {
    const path = isAbsolute(source) ? source : resolve(this.#outDir, source);
    if (source.includes('\0') || source.includes('pawl:') || isOwnFile(path)) return null;
    const file = this.#files.relative(path);
    if (INSTALLED.test(path) && !this.#files.installed.includes(file)) return undefined;
    if (!/\.[cm]?[jt]sx?$/.test(file)) return undefined;
    const code = this.#files.code(file, this.#target);
    return code ? { text: this.#files.get(file)?.text ?? '', map: code.map } : undefined;
  };
}

export interface Chunk {
  code: string;
  map: FinalMap;
}

/** The files of the output folder, in the order of writing: a reader that sees the manifest finds its bundles. */
export function assemble(
  described: ProgramDescription,
  workflows: Chunk,
  steps: Chunk & { cycles: string[][] },
): BuildOutput {
  const wrapped = wrapWorkflowBundle(workflows.code, workflows.map);
  const texts = {
    workflows: withMapComment(wrapped.code, WORKFLOWS_FILE),
    steps: withMapComment(steps.code, STEPS_FILE),
  };
  const maps = { workflows: `${JSON.stringify(wrapped.map)}\n`, steps: `${JSON.stringify(steps.map)}\n` };
  const manifest = createManifest({ pawl: VERSION, ...described, bundles: texts, maps, cycles: steps.cycles });
  return {
    manifest,
    files: [
      { name: PACKAGE_FILE, text: PACKAGE_TEXT },
      { name: `${WORKFLOWS_FILE}.map`, text: maps.workflows },
      { name: `${STEPS_FILE}.map`, text: maps.steps },
      { name: WORKFLOWS_FILE, text: texts.workflows },
      { name: STEPS_FILE, text: texts.steps },
      { name: MANIFEST_FILE, text: serializeManifest(manifest) },
    ],
  };
}

function withMapComment(code: string, file: string): string {
  return `${code.endsWith('\n') ? code : `${code}\n`}//# sourceMappingURL=${file}.map\n`;
}

export function outputPath(root: string, outDir: string | undefined): string {
  return resolve(root, outDir ?? '.pawl');
}
