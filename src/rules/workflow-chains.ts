import type { ModuleFacts, Use } from '../compiler/facts.ts';
import type { RuleName } from '../diagnostics/codes.ts';
import type { DiagnosticInput } from '../diagnostics/create.ts';
import { chainPlaces, chainText, placeName, useVerb } from './chain.ts';
import type { RuleContext } from './define-rule.ts';
import { isPlain, levelName } from './levels.ts';
import type { Chain, Level, Place, Program, Reference, ResolvedUse } from './program.ts';
import { type ReachedPlace, reachedCode } from './reached.ts';
import { type LackKind, lackEnd } from './sandbox.ts';

/** What a rule over call chains finds: its name, why it is wrong there, and what to write instead. */
export interface NamedEnd {
  /** As people know it, `crypto.subtle.digest`. */
  name: string;
  /** Second half of the message. */
  because: string;
  remedy: string;
}

/**
 * The finding about a chain: at the use in the root, for that is what its author must change.
 *
 * @example
 * Workflow `fulfil` reaches `setTimeout` through `delay`: …
 */
export function chainFinding<End extends NamedEnd>({ hops, end }: Chain<End>): DiagnosticInput {
  const [first, second] = hops;
  const reach = second
    ? `reaches \`${end.name}\` through \`${placeName(second)}\``
    : `${useVerb(first.use)} \`${end.name}\``;
  return {
    file: first.module.file,
    span: first.use.span,
    message: `${levelName(first)} \`${placeName(first)}\` ${reach}: ${end.because}.`,
    chain: second && chainText(hops, end.name),
    remedy: end.remedy,
    related: second ? chainPlaces(hops, end.name) : [],
  };
}

interface ChainOptions<End> {
  /** As in `ChainQuery`. */
  rank?: (end: End) => number;
  /**
   * Only what is no part of the program can be an end, and whether a use is one depends on nothing but that use: then nobody need ask
   * again as long as the code of a unit stays the same.
   */
  outer?: true;
  /** With `outer`: a variable of a module that is another name of a global can be an end too. */
  aliases?: true;
  /** Other uses are no ends, as names and kinds tell; to be made with `wantedOf`. */
  among?: (uses: readonly ResolvedUse[]) => readonly ResolvedUse[];
}

/** Chains from all workflows, or from all steps and actions, to ends, through plain code. */
export function chainsFrom<End>(
  rule: RuleName,
  program: Program,
  level: Level,
  end: (use: Use, reference: Reference, at: Place) => End | null,
  { rank, outer, aliases, among = (uses) => uses }: ChainOptions<End> = {},
): Chain<End>[] {
  const isEnd = (at: Place, uses: readonly ResolvedUse[]) =>
    uses.some(({ use, reference }) => end(use, reference, at) !== null);
  const none = outer ? withoutEnds(rule, program, level) : null;
  const isEndIn = (at: ReachedPlace, uses: readonly ResolvedUse[]): boolean => {
    if (uses.length === 0 || none?.has(uses)) return false;
    const has = isEnd(at, uses);
    if (!has) none?.add(uses);
    return has;
  };
  const hasEnd = (at: ReachedPlace): boolean => {
    if (!none) return isEnd(at, among(at.uses));
    return isEndIn(at, at.outer) || (aliases === true && isEndIn(at, at.inner));
  };
  const { roots, places } = reachedCode(program, level);
  return (none && !aliases ? placesWithOuter(program, level) : places).some(hasEnd)
    ? program.chains({ rule, roots, end, rank, through: isPlain })
    : [];
}

/** Places that use something which is no part of the program; many rules ask for them, and most code has none. */
function placesWithOuter(program: Program, level: Level): readonly ReachedPlace[] {
  const { modules } = program;
  let levels = outerKnown.get(modules);
  if (!levels) {
    levels = {};
    outerKnown.set(modules, levels);
  }
  levels[level] ??= reachedCode(program, level).places.filter(({ outer }) => outer.length > 0);
  return levels[level];
}

/** By the list of modules, which is a new one in each check. */
const outerKnown = new WeakMap<readonly ModuleFacts[], Partial<Record<Level, readonly ReachedPlace[]>>>();

/** The uses of units of which a rule has found, in this check or an earlier one, that none is an end. */
function withoutEnds(rule: RuleName, program: Program, level: Level): WeakSet<readonly ResolvedUse[]> {
  let rules = known.get(program);
  if (!rules) {
    rules = new Map();
    known.set(program, rules);
  }
  const key = `${rule} ${level}`;
  let none = rules.get(key);
  if (!none) {
    none = new WeakSet();
    rules.set(key, none);
  }
  return none;
}

const known = new WeakMap<Program, Map<string, WeakSet<readonly ResolvedUse[]>>>();

/** Reports what workflow code reaches of one kind of things that the sandbox lacks. */
export function reportLacks(rule: RuleName, kind: LackKind, { program, report }: RuleContext): void {
  const chains = chainsFrom(
    rule,
    program,
    'workflow',
    (use, reference) => {
      const lack = lackEnd(use, reference);
      return lack?.kind === kind ? lack : null;
    },
    { outer: true },
  );
  for (const chain of chains) report(chainFinding(chain));
}
