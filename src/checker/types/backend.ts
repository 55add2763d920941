import type { Types } from '../../rules/types.ts';
import type { SerializableClass } from './questions.ts';

/**
 * Glossary of types.
 *
 * - **backend**: a version of TypeScript that answers questions about types. There are two kinds, because TypeScript 7 has
 *   another API: `classic` (5.5 to 6) and `native` (7).
 * - **model**: the part of either API that the answers are made of, under one set of names (`model.ts`).
 * - **sources**: what a check asks about: the files with boundaries, and texts that are not saved yet.
 */
export interface TypeBackend {
  /** `TypeScript 6.0.3`, for people. */
  readonly name: string;
  /** What people have to know of it once, in sentences: why there are no types, which configuration could not be read. */
  readonly notices: readonly string[];
  /**
   * Opens a program, or brings the last one up to date. The work is done when the first question is asked.
   *
   * @returns null where there is no TypeScript that works
   */
  open(sources: TypeSources): Types | null;
  /** Forgets programs and ends processes. */
  dispose(): void;
}

export interface TypeSources {
  /** Absolute real path with `/`. */
  root: string;
  /** Files with boundaries, relative to the root with `/`. */
  files: readonly string[];
  /** Texts that lie over the disk, by file relative to the root. */
  overlays: ReadonlyMap<string, string>;
  /** Another number when files have come or gone: imports may lead elsewhere then. */
  generation: number;
  /** Classes of the program whose instances serialize. */
  serializable: readonly SerializableClass[];
}
