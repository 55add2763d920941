/**
 * The cheap test that spares a parse. It may say yes for nothing (a text that quotes a directive) but never no for a module
 * that has a directive, a misspelled one, a definition or a serializable class.
 */

/** `'use step'`, and what rule 1003 wants to see: `'Use Step'`, `"use-steps"`, `` `use workflow` ``, `'use setp'`. */
const DIRECTIVE = /['"`]\s*use[\s_-]*(?:[sw](?!trict|erver)|\\[xu])/iy;

const DEFINITION = /\bdefine(?:Action|Workflow|Agent|Credential)\b/;

/** Serializable classes: the symbols by key, and the names under which the SDKs export them. */
const SERIALIZATION = /\b(?:pawl|workflow)-(?:de)?serialize\b|\bWORKFLOW_(?:DE)?SERIALIZE\b|\[\s*(?:de)?serialize\s*\]/;

/**
 * Whether a module can concern the compiler at all.
 *
 * @param source - text of the module
 * @returns `false` only where parsing would find neither directive, definition nor serializable class
 * @example
 * mayHaveDirectives("export const a = 1"); // false
 */
export function mayHaveDirectives(source: string): boolean {
  if (mayQuoteDirective(source)) return true;
  if (source.includes('define') && DEFINITION.test(source)) return true;
  // The end of the word: its first letter is rarer, and short texts are looked for faster.
  return (source.includes('lize') || source.includes('LIZE')) && SERIALIZATION.test(source);
}

/** Hops from quote to quote and looks at one letter: a fourth of the time that the expression takes over the whole text. */
function mayQuoteDirective(source: string): boolean {
  for (const quote of ["'", '"', '`']) {
    for (let at = source.indexOf(quote); at >= 0; at = source.indexOf(quote, at + 1)) {
      const next = source.charCodeAt(at + 1);
      const isLetterU = (next | 0x20) === 0x75;
      if (!isLetterU && next > 0x20 && next < 0x80) continue;
      DIRECTIVE.lastIndex = at;
      if (DIRECTIVE.test(source)) return true;
    }
  }
  return false;
}
