import { CODES, type RuleName } from '../diagnostics/codes.ts';
import type { Severity } from '../diagnostics/types.ts';
import { RULES } from '../rules/index.ts';

export type Level = Severity | 'off';

/** What one part of the configuration says: of all files, or of those that its globs match. */
export interface SettingsLayer {
  /** Null for all files. */
  matches: ((file: string) => boolean) | null;
  levels: ReadonlyMap<RuleName, Level>;
  /** Options as the rule's schema gives them back: defaults are filled in. */
  options: ReadonlyMap<RuleName, unknown>;
}

/** Levels and options of rules, file by file: the last layer that speaks of a rule and matches the file counts. */
export class RuleSettings {
  readonly #layers: readonly SettingsLayer[];
  readonly #asked: ReadonlySet<RuleName>;
  readonly #defaults = new Map<RuleName, unknown>();

  /**
   * @param layers - the later count more
   * @param asked - rules that are off unless set, to be run all the same
   */
  constructor(layers: readonly SettingsLayer[], asked: Iterable<RuleName> = []) {
    this.#asked = new Set(asked);
    this.#layers = layers.filter(({ levels, options }) => levels.size > 0 || options.size > 0);
  }

  /** The level that a rule has in a file by what is set, whether or not somebody asked for it. */
  levelOf(rule: RuleName, file: string): Level {
    return this.#configured(rule, file) ?? (CODES[rule].optIn ? 'off' : CODES[rule].severity);
  }

  /** The severity of a finding: its own unless the configuration has another. */
  severityOf(rule: RuleName, file: string, own: Severity): Level {
    return this.#configured(rule, file) ?? (CODES[rule].optIn && !this.#asked.has(rule) ? 'off' : own);
  }

  /** Whether a rule is off in every file, so that nobody needs to look. */
  isOff(rule: RuleName): boolean {
    let off = CODES[rule].optIn === true && !this.#asked.has(rule);
    for (const { matches, levels } of this.#layers) {
      const level = levels.get(rule);
      if (level === undefined) continue;
      if (level === 'off') off ||= matches === null;
      else off = false;
    }
    return off;
  }

  /** A rule's own options in a file; undefined for a rule that has none. */
  optionsOf(rule: RuleName, file: string): unknown {
    const layer = this.#layers.findLast((each) => each.options.has(rule) && applies(each, file));
    return layer ? layer.options.get(rule) : this.#defaultsOf(rule);
  }

  #configured(rule: RuleName, file: string): Level | undefined {
    return this.#layers.findLast((each) => each.levels.has(rule) && applies(each, file))?.levels.get(rule);
  }

  #defaultsOf(rule: RuleName): unknown {
    if (!this.#defaults.has(rule)) {
      this.#defaults.set(rule, RULES.find(({ name }) => name === rule)?.options?.parse({}));
    }
    return this.#defaults.get(rule);
  }
}

function applies({ matches }: SettingsLayer, file: string): boolean {
  return matches === null || matches(file);
}
