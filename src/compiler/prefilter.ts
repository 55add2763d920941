/**
 * The cheap test that spares a parse. It may say yes for nothing (a comment that quotes a directive) but never no for a
 * module that has a directive, a misspelled one, a definition or a serializable class.
 */
const MARKS = ['use step', 'use workflow', 'defineAction', 'defineWorkflow', 'defineAgent', 'defineCredential'];

/** `'Use Step'`, `"use-steps"`, `` `use workflow` ``, `'use setp'`: what rule 1003 wants to see. */
const NEAR_DIRECTIVE = /['"`]\s*use[\s_-]*[sw](?!trict|erver)/i;

/** Serializable classes: the symbols by key, and the names under which the SDKs export them. */
const SERIALIZATION = /\b(?:pawl|workflow)-(?:de)?serialize\b|\bWORKFLOW_(?:DE)?SERIALIZE\b|\[\s*(?:de)?serialize\s*\]/;

/**
 * Whether a module can concern the compiler at all.
 *
 * @param source - text of the module
 * @returns `false` only where parsing would find neither directive, definition nor serializable class
 */
export function mayHaveDirectives(source: string): boolean {
  for (const mark of MARKS) if (source.includes(mark)) return true;
  if (source.includes('use') && NEAR_DIRECTIVE.test(source)) return true;
  if (source.includes('erialize') || source.includes('ERIALIZE')) return SERIALIZATION.test(source);
  return false;
}
