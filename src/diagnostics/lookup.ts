import { CODES, type CodeInfo, type RuleName } from './codes.ts';
import { nearest } from './nearest.ts';

const names = Object.keys(CODES) as RuleName[];
const nameByCode = new Map<string, RuleName>(names.map((name) => [CODES[name].code, name]));

/** The rule that a code or a rule name speaks of, in any case; `PAWL` may be left out: `3002`. */
export function findRule(codeOrName: string): { name: RuleName; info: CodeInfo } | null {
  const text = codeOrName.trim();
  const upper = /^\d+$/.test(text) ? `PAWL${text}` : text.toUpperCase();
  const lower = text.toLowerCase();
  const name = nameByCode.get(upper) ?? names.find((candidate) => candidate === lower);
  return name ? { name, info: CODES[name] } : null;
}

/** The code or name nearest to one that does not exist, or null. */
export function suggestRule(codeOrName: string): string | null {
  const text = codeOrName.trim();
  return /\d/.test(text) ? nearest(text, nameByCode.keys()) : nearest(text, names);
}
