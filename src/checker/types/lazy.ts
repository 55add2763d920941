import { realPath, withSlashes } from '../disk-resolve.ts';
import type { DefinitionTypes, SignatureTypes, Types, ValueType } from '../../rules/types.ts';
import type { TypeBackend, TypeSources } from './backend.ts';
import { type Candidates, findTypeScript } from './load.ts';

export interface TypesOptions {
  /** The folder whose TypeScript is used: the project's. */
  root: string;
  /** What is tried in turn; for tests. */
  candidates?: () => Candidates;
}

/**
 * Opens the types of a project. TypeScript is loaded when the first question is asked, and never where no file has a boundary.
 * When one fails, the next that is installed is asked; when none is left, there are no types and a notice says why.
 *
 * @example
 * const session = createSession({ root, types: createTypes({ root }) });
 */
export function createTypes(options: TypesOptions): TypeBackend {
  return new LazyBackend(options);
}

class LazyBackend implements TypeBackend {
  readonly #find: () => Candidates;
  #candidates: Candidates | null = null;
  #current: TypeBackend | null = null;
  #next = 0;
  readonly #notices = new Set<string>();
  /** The last one failed at a question; once is enough to tell. */
  #hasFailed = false;

  constructor({ root, candidates }: TypesOptions) {
    this.#find = candidates ?? (() => findTypeScript(withSlashes(realPath(root))));
  }

  get name(): string {
    return this.#backend()?.name ?? 'no TypeScript';
  }

  get notices(): readonly string[] {
    return [...this.#notices, ...(this.#current?.notices ?? [])];
  }

  open(sources: TypeSources): Types | null {
    return sources.files.length === 0 ? null : new GuardedTypes(this, sources);
  }

  dispose(): void {
    this.#current?.dispose();
    this.#current = null;
    this.#candidates = null;
    this.#next = 0;
  }

  /** Opens a program of the backend that works; null where none does. */
  program(sources: TypeSources): Types | null {
    for (;;) {
      const backend = this.#backend();
      if (!backend) return null;
      try {
        return backend.open(sources);
      } catch (error) {
        this.#give(backend, error);
      }
    }
  }

  /** @returns whether another one takes over */
  failed(error: unknown, file: string): boolean {
    const backend = this.#current;
    if (!backend) return false;
    const isLast = this.#next >= (this.#candidates?.found.length ?? 0);
    if (!isLast) this.#give(backend, error);
    else if (!this.#hasFailed) {
      this.#hasFailed = true;
      this.#notices.add(`${backend.name} failed when it was asked for types in ${file}: ${firstLine(error)}`);
    }
    return !isLast;
  }

  #backend(): TypeBackend | null {
    this.#candidates ??= this.#find();
    const { found, reasons } = this.#candidates;
    while (!this.#current && this.#next < found.length) {
      const candidate = found[this.#next++];
      try {
        this.#current = candidate?.load() ?? null;
      } catch (error) {
        this.#notices.add(`${candidate?.name} could not be asked for types: ${firstLine(error)}`);
      }
    }
    if (!this.#current) this.#notices.add(noTypes(reasons));
    return this.#current;
  }

  #give(backend: TypeBackend, error: unknown): void {
    this.#notices.add(`${backend.name} could not be asked for types: ${firstLine(error)}`);
    try {
      backend.dispose();
    } catch {
      // It has failed already.
    }
    this.#current = null;
  }
}

function noTypes(reasons: readonly string[]): string {
  const why = reasons[0] ?? 'There is no TypeScript that could be asked.';
  return `${why} Rules that need types are left out; install typescript 5.5 or newer, or say --no-types.`;
}

/** What TypeScript throws when it is wrong about itself is no matter of the user's. */
function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const line = (text.split('\n')[0] ?? '').trim().slice(0, 200);
  return /[.!?]$/.test(line) ? line : `${line}.`;
}

/** Questions that never throw: TypeScript may fail on code that nobody has thought of, and the rest is checked all the same. */
class GuardedTypes implements Types {
  readonly #backend: LazyBackend;
  readonly #sources: TypeSources;
  #program: Types | null | undefined;

  constructor(backend: LazyBackend, sources: TypeSources) {
    this.#backend = backend;
    this.#sources = sources;
  }

  signature(...[file, text]: Parameters<Types['signature']>): SignatureTypes | null {
    return this.#ask(file, (types) => types.signature(file, text));
  }
  definition(...[file, call]: Parameters<Types['definition']>): DefinitionTypes | null {
    return this.#ask(file, (types) => types.definition(file, call));
  }
  arguments(...[file, callee]: Parameters<Types['arguments']>): ValueType[] | null {
    return this.#ask(file, (types) => types.arguments(file, callee));
  }
  typeArguments(...[file, callee]: Parameters<Types['typeArguments']>): ValueType[] | null {
    return this.#ask(file, (types) => types.typeArguments(file, callee));
  }
  variable(...[file, name]: Parameters<Types['variable']>): ValueType | null {
    return this.#ask(file, (types) => types.variable(file, name));
  }

  #ask<Answer>(file: string, question: (types: Types) => Answer | null): Answer | null {
    for (;;) {
      if (this.#program === undefined) this.#program = this.#backend.program(this.#sources);
      if (this.#program === null) return null;
      try {
        return question(this.#program);
      } catch (error) {
        if (!this.#backend.failed(error, file)) return null;
        this.#program = undefined;
      }
    }
  }
}
