import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { entryMatcher } from '../checker/discover.ts';
import { toRelative, withSlashes } from '../checker/disk-resolve.ts';
import { concernsChecker } from '../checker/files.ts';
import { type CheckerConfig, createSession, createTypes, type Session, type TypeBackend } from '../checker/index.ts';
import { CONFIG_FILES, type LoadedConfig, loadConfigSync } from '../config/index.ts';
import { CODES, type RuleName } from '../diagnostics/codes.ts';
import { fullMessage } from '../diagnostics/create.ts';
import { selectFixes } from '../diagnostics/fixes.ts';
import type { Diagnostic, Span, TextEdit } from '../diagnostics/types.ts';
import { PawlError } from '../errors.ts';
import { realPathOf } from '../editor/roots.ts';

/** One finding of one file. */
export interface LintFinding {
  /** The rule's name. */
  rule: string;
  /** What is wrong, through which calls, and what to write instead. */
  message: string;
  span: Span;
  /** Edits of a fix, in the order of the text; none overlaps another. Empty without a fix. */
  edits: readonly TextEdit[];
}

/** Options that a linter's own configuration gives a rule. */
export interface OwnOptions {
  rule: string;
  options: Record<string, unknown>;
}

/**
 * How long a check holds while nothing suggests otherwise, ms: a linter asks file by file, and other files seldom change meanwhile. At
 * least ten times what the check took, so that no more than a tenth of the time goes into looking again.
 */
const FRESH_MS = 1_000;
const FRESH_FACTOR = 10;

const OPT_IN = (Object.keys(CODES) as RuleName[]).filter((name) => CODES[name].optIn);

interface Checker {
  session: Session;
  findings: ReadonlyMap<string, readonly Diagnostic[]>;
  /** Entries that were asked about since, and that the check did not look at: the output of a build. */
  strangers: Set<string>;
  /** Until when `findings` hold, by the monotonic clock. */
  fresh: number;
}

export interface LintProjectOptions {
  /** Absolute path of an existing folder. */
  root: string;
  /** Whether TypeScript is asked, where it is installed. */
  types: boolean;
}

/** One root in a linter: its configuration, and a session of the checker that all of its files share. */
export class LintProject {
  readonly #root: string;
  readonly #realRoot: string;
  readonly #wantsTypes: boolean;
  #types: TypeBackend | null = null;
  #stamp: string | null = null;
  #loaded: LoadedConfig | null = null;
  #problem: PawlError | null = null;
  #isEntry: (file: string) => boolean = () => false;
  /** A session for each way in which a linter sets options of rules; most have but one. */
  readonly #checkers = new Map<string, Checker>();

  constructor({ root, types }: LintProjectOptions) {
    this.#root = root;
    this.#realRoot = withSlashes(realPathOf(root));
    this.#wantsTypes = types;
  }

  /** Whether steps and workflows of a file are looked for. */
  isEntry(path: string): boolean {
    this.#configure();
    return this.#isEntry(this.#relative(path));
  }

  /**
   * The findings of a file.
   *
   * @param path - absolute; the file need not exist
   * @param text - as the linter has it, without a byte order mark: it may be unsaved
   * @param own - options that are not those of `pawl.config`
   * @throws PawlError where nothing can be checked: a configuration that cannot be used, a file that cannot be read
   */
  check(path: string, text: string, own: OwnOptions | null = null): LintFinding[] {
    this.#configure();
    if (this.#problem) {
      if (!concernsChecker(text)) return [];
      throw this.#problem;
    }
    const file = this.#relative(path);
    const checker = this.#checker(own);
    if (!this.#holds(checker, file, text)) {
      const begun = performance.now();
      checker.session.update(file, isOnDisk(join(this.#realRoot, file), text) ? null : text);
      const found = new Map<string, Diagnostic[]>();
      for (const diagnostic of checker.session.checkSync().diagnostics) {
        const list = found.get(diagnostic.file);
        if (list) list.push(diagnostic);
        else found.set(diagnostic.file, [diagnostic]);
      }
      checker.findings = found;
      checker.strangers.clear();
      if (!checker.session.saw(file)) checker.strangers.add(file);
      const now = performance.now();
      checker.fresh = now + Math.max(FRESH_MS, FRESH_FACTOR * (now - begun));
    }
    return (checker.findings.get(file) ?? []).map((diagnostic) => ({
      rule: diagnostic.rule,
      message: fullMessage(diagnostic),
      span: diagnostic.span,
      edits: diagnostic.fix ? selectFixes(text, [diagnostic]).edits : [],
    }));
  }

  /** Whether the last check saw what it would see now. */
  #holds({ session, fresh, strangers }: Checker, file: string, text: string): boolean {
    if (performance.now() >= fresh) return false;
    if (session.saw(file)) return session.source(file) === text;
    // A file that is no part of the program has no findings, whatever its text.
    return strangers.has(file) || !this.#isEntry(file);
  }

  #relative(path: string): string {
    return toRelative(this.#realRoot, realPathOf(path));
  }

  #checker(own: OwnOptions | null): Checker {
    const key = own ? JSON.stringify(own) : '';
    let checker = this.#checkers.get(key);
    if (!checker) {
      checker = { session: this.#openSession(own), findings: new Map(), strangers: new Set<string>(), fresh: 0 };
      this.#checkers.set(key, checker);
    }
    return checker;
  }

  #openSession(own: OwnOptions | null): Session {
    const { config, source } = this.#loaded as LoadedConfig;
    if (this.#wantsTypes) this.#types ??= createTypes({ root: this.#realRoot });
    return createSession({
      root: this.#realRoot,
      config: { ...(own ? withOptions(config, own) : config), asked: OPT_IN },
      configSource: source ?? undefined,
      outDir: config.outDir,
      overlays: 'match',
      types: this.#types,
    });
  }

  /** Reads the configuration if it was not read yet, or has changed since. */
  #configure(): void {
    const stamp = configStamp(this.#root);
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    this.#problem = null;
    for (const { session } of this.#checkers.values()) session.dispose();
    this.#checkers.clear();
    try {
      this.#loaded = loadConfigSync(this.#root);
    } catch (error) {
      if (!(error instanceof PawlError)) throw error;
      this.#problem = error;
      this.#loaded = null;
    }
    this.#isEntry = entryMatcher(this.#loaded?.config.entries ?? null, this.#root);
  }
}

/** A rule's options are the linter's; its severity stays what `pawl.config` says. */
function withOptions(config: CheckerConfig, { rule, options }: OwnOptions): CheckerConfig {
  const levelOf = (entry: unknown): unknown => (Array.isArray(entry) ? entry[0] : entry);
  const set = (rules: CheckerConfig['rules'] = {}): CheckerConfig['rules'] =>
    Object.fromEntries(
      Object.entries(rules).map(([key, entry]) => [
        key,
        key === rule || key === CODES[rule as RuleName].code ? [levelOf(entry), options] : entry,
      ]),
    ) as CheckerConfig['rules'];
  const rules = set(config.rules) ?? {};
  const isSet = rule in rules || CODES[rule as RuleName].code in rules;
  const { severity } = CODES[rule as RuleName];
  return {
    ...config,
    rules: isSet ? rules : { ...rules, [rule]: [severity, options] },
    overrides: config.overrides?.map((override) => ({ ...override, rules: set(override.rules) ?? {} })),
  };
}

function isOnDisk(path: string, text: string): boolean {
  try {
    const saved = readFileSync(path, 'utf8');
    return saved === text || (saved.charCodeAt(0) === 0xfeff && saved.slice(1) === text);
  } catch {
    return false;
  }
}

/** Changes when the configuration does. */
function configStamp(root: string): string {
  for (const name of CONFIG_FILES) {
    const stats = statSync(join(root, name), { throwIfNoEntry: false });
    if (stats) return `${name} ${stats.mtimeMs} ${stats.ctimeMs} ${stats.size}`;
  }
  return '';
}
