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
const info = (code: string): CodeInfo => ({ code, severity: 'info', suppressible: true });

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
  'argument-mutation-lost': warning('PAWL2004'),
  'serialization-incomplete': error('PAWL2005'),
  'any-at-boundary': { ...warning('PAWL2006'), optIn: true },
  'large-literal-payload': info('PAWL2007'),
  'floating-step': error('PAWL3001'),
  'io-in-workflow': error('PAWL3002'),
  'nondeterministic-call': error('PAWL3003'),
  'timer-in-workflow': error('PAWL3004'),
  'global-mutation': error('PAWL3005'),
  'environment-read': warning('PAWL3006'),
  'foreign-promise': warning('PAWL3007'),
  'race-drops-hook': warning('PAWL3008'),
  'host-order': warning('PAWL3009'),
  'unbounded-loop': warning('PAWL3010'),
  'dynamic-import': error('PAWL3011'),
  'top-level-side-effect': error('PAWL3012'),
  'load-effect-lost': warning('PAWL3013'),
  'workflow-api-in-step': error('PAWL4001'),
  'step-api-in-workflow': error('PAWL4002'),
  'durable-api-outside': error('PAWL4003'),
  'workflow-called-directly': warning('PAWL4004'),
  'hook-token-constant': warning('PAWL4005'),
  'writer-lock-leak': warning('PAWL4006'),
  'missing-idempotency-key': info('PAWL4007'),
  'swallowed-cancellation': warning('PAWL4008'),
  'action-calls-action': error('PAWL5001'),
  'action-imports-integration': error('PAWL5002'),
  'step-calls-step': warning('PAWL5003'),
  'workflow-in-action': error('PAWL5004'),
  'opaque-control-flow': { ...info('PAWL5005'), optIn: true },
  'duplicate-id': error('PAWL6001', false),
  'one-definition-per-file': error('PAWL6002'),
  'definition-not-static': error('PAWL6003', false),
  'slug-format': error('PAWL6004'),
  'unresolved-reference': error('PAWL6005'),
  'missing-schema': error('PAWL6006', false),
  'unstable-id': error('PAWL6007', false),
  'external-directive': error('PAWL6008'),
  'tool-contract': error('PAWL7001'),
  'credential-misplaced': error('PAWL7002'),
  'tool-level': error('PAWL7003'),
  'optional-in-output-schema': warning('PAWL7004'),
  'unawaited-prompt': error('PAWL7005'),
  'id-removed': error('PAWL8001'),
  'schema-break': error('PAWL8002'),
  'step-sequence-changed': { ...warning('PAWL8003'), optIn: true },
  'class-removed': error('PAWL8004'),
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
