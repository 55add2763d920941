/**
 * The import names that pawl knows without looking: its own, and those of the SDKs whose programs it serves. What they export under the
 * names of pawl's API means what pawl's means.
 */

/** Of pawl and the SDKs: imports of them lead out of the program, whether they are installed or not. */
const PACKAGES = /^(?:pawl|workflow|@workflow\/[^/]+|@keystrokehq\/keystroke)(?:\/|$)/;

/** What workflows and steps import: `sleep`, `createHook`, `getStepMetadata`. */
const DURABLE = /^(?:pawl|workflow|@workflow\/core|@keystrokehq\/keystroke(?:\/workflow)?)$/;

/** What applications import: `start`, `resumeHook`. */
const CLIENT =
  /^(?:pawl\/client|workflow\/(?:api|runtime)|@workflow\/core\/runtime|@keystrokehq\/keystroke(?:\/client)?)$/;

/** What definitions are written with: `defineAction`. */
const DEFINITIONS = /^(?:pawl(?:\/agent)?|@keystrokehq\/keystroke(?:\/(?:action|workflow|agent|credentials?))?)$/;

/** Where the keys of the serialization methods come from. */
const SYMBOLS = /^(?:pawl|@workflow\/serde|workflow)$/;

/** The part of an SDK that an import specifier names. */
export type SdkPart = 'durable' | 'client' | 'definitions' | 'symbols';

const PARTS: Record<SdkPart, RegExp> = { durable: DURABLE, client: CLIENT, definitions: DEFINITIONS, symbols: SYMBOLS };

/** Behind `from`, `import(` or `require(`: what workflows and steps import. */
const DURABLE_IMPORT =
  /\b(?:from|import|require)\s*\(?\s*['"](?:pawl|workflow|@workflow\/core|@keystrokehq\/keystroke(?:\/workflow)?)['"]/;

/** Whether a text imports what only workflows and steps can use; the cheap test that spares a parse. */
export function importsDurable(source: string): boolean {
  return DURABLE_IMPORT.test(source);
}

/** Whether an import specifier names pawl or an SDK that it serves. */
export function isSdk(specifier: string): boolean {
  return PACKAGES.test(specifier);
}

/**
 * Whether an import specifier gives a part of pawl's API.
 *
 * @example
 * givesPart('workflow', 'durable'); // true
 */
export function givesPart(specifier: string, part: SdkPart): boolean {
  return PARTS[part].test(specifier);
}
