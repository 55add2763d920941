import type { Severity } from './types.ts';

/** What is fixed about a code: everything else about a rule is in `rules/<name>.ts`. */
export interface CodeInfo {
  code: string;
  severity: Severity;
  /** `false` where compilation cannot go on without a repair, so a `pawl-ignore` comment has no effect. */
  suppressible: boolean;
  /** Off until the configuration gives it a severity. */
  optIn?: true;
}

const error = (code: string, suppressible = true): CodeInfo => ({ code, severity: 'error', suppressible });
const warning = (code: string): CodeInfo => ({ code, severity: 'warning', suppressible: true });

/** The one table of codes. Codes are unique and never reused; names are the names of the rule files. */
export const CODES = {
  'directive-not-transformable': error('PAWL1001', false),
  'directive-not-async': error('PAWL1002', false),
  'directive-misspelled': error('PAWL1003'),
  'directive-misplaced': error('PAWL1004'),
  'step-this-arguments': error('PAWL1005', false),
  'module-directive-export': error('PAWL1006', false),
  'duplicate-directive': warning('PAWL1007'),
  'step-option-not-static': error('PAWL1008', false),
  'unserializable-boundary': error('PAWL2001'),
  'closure-unserializable': error('PAWL2002'),
  'closure-write': error('PAWL2003'),
  'serialization-incomplete': error('PAWL2005'),
  'any-at-boundary': { ...warning('PAWL2006'), optIn: true },
  'io-in-workflow': error('PAWL3002'),
  'load-effect-lost': warning('PAWL3013'),
  'action-calls-action': error('PAWL5001'),
  'duplicate-id': error('PAWL6001', false),
  'one-definition-per-file': error('PAWL6002'),
  'definition-not-static': error('PAWL6003', false),
  'missing-schema': error('PAWL6006', false),
  'unstable-id': error('PAWL6007', false),
  'unused-suppression': warning('PAWL9001'),
  'suppression-without-reason': warning('PAWL9002'),
  'unknown-suppression-code': warning('PAWL9003'),
  'syntax-error': error('PAWL9004', false),
  'configuration-error': error('PAWL9005', false),
  'unresolved-import': error('PAWL9006', false),
  'unbundlable-module': error('PAWL9007', false),
  'schema-not-static': error('PAWL9008', false),
  'schema-without-json-form': warning('PAWL9009'),
  'id-mismatch': error('PAWL9010', false),
} as const satisfies Record<string, CodeInfo>;

export type RuleName = keyof typeof CODES;
